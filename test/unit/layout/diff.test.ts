import { expect, test } from 'vitest';
import { diffLayouts } from '../../../src/layout/diff.ts';
import type { Layout } from '../../../src/model/layout.ts';
import { sampleLayout } from '../../support/sample-layout.ts';

const layout = sampleLayout('deb');
const [first, ...others] = layout.entries;

test('a layout does not differ from itself', () => {
  expect(diffLayouts(layout, sampleLayout('deb'))).toEqual([]);
});

test('content in memory equals the same content by reference', () => {
  const stored = layout.entries.map((entry) =>
    entry.kind === 'file' && entry.path === '/etc/default/kubelet'
      ? {
          ...entry,
          content: {
            kind: 'stored',
            sha256: 'd2afc7cca3049edb1ce06dedac7b05f1f0ca7b5a9d2c5a8d8bd0bcdeb0ec1b1a',
            size: 20,
          } as const,
        }
      : entry,
  );
  const [difference] = diffLayouts(layout, { ...layout, entries: stored });
  expect(difference?.left).toMatch(/^[0-9a-f]{64}, 20 bytes$/);
  const sha256 = difference?.left?.slice(0, 64) ?? '';
  const same = stored.map((entry) =>
    entry.kind === 'file' && entry.content.kind === 'stored'
      ? { ...entry, content: { ...entry.content, sha256 } }
      : entry,
  );
  expect(diffLayouts(layout, { ...layout, entries: same })).toEqual([]);
});

const changes: [name: string, changed: Partial<Layout>, what: string][] = [
  ['version', { version: { ...layout.version, revision: '2' } }, 'version'],
  ['summary', { summary: 'Something else' }, 'summary'],
  ['relation', { relations: { ...layout.relations, depends: [] } }, 'depends'],
  ['script', { scripts: { postinst: { interpreter: '/bin/sh', body: 'exit 0\n' } } }, 'script postinst'],
  ['list of entries', { entries: others }, first?.path ?? ''],
  ['mode', { entries: layout.entries.map((entry) => ({ ...entry, mode: 0o700 })) }, '/etc mode'],
  ['owner', { entries: layout.entries.map((entry) => ({ ...entry, owner: 'kube' })) }, '/etc owner'],
  ['role', { entries: layout.entries.map((entry) => ({ ...entry, role: 'plain' })) }, '/etc/default/kubelet role'],
];

test.each(changes)('reports a changed %s', (_, changed, what) => {
  expect(diffLayouts(layout, { ...layout, ...changed }).map((difference) => difference.what)).toContain(what);
});

test('between formats, reports contents and relations, but not architecture names and unowned directories', () => {
  expect(diffLayouts(layout, sampleLayout('rpm'))).toEqual([]);
  const [difference] = diffLayouts(layout, {
    ...sampleLayout('rpm'),
    relations: layout.relations,
    version: { epoch: 0, upstream: '1.36.5', revision: '1' },
  });
  expect(difference).toEqual({ what: 'version', left: '1.36.4-1', right: '1.36.5-1' });
});
