import { readdir, readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { diffLayouts } from '../../../src/layout/diff.ts';
import { readRpm } from '../../../src/rpm/read.ts';
import { asRead, objectsOf, pack, sha256 } from '../../support/rpm.ts';
import { rpmLayouts } from '../../support/rpm-layouts.ts';
import { sampleLayout } from '../../support/sample-layout.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

describe('any layout', () => {
  test('is unchanged after writing and reading it', async () => {
    const directory = temporaryDirectory();
    await fc.assert(
      fc.asyncProperty(rpmLayouts, async (layout) => {
        const read = await readRpm(await pack(layout, directory));
        expect(asRead(read.layout)).toEqual(asRead(layout));
      }),
      { numRuns: 100 },
    );
  });

  test('gives the same package regardless of the order of its relations', async () => {
    const directory = temporaryDirectory();
    await fc.assert(
      fc.asyncProperty(rpmLayouts, async (layout) => {
        const first = await readFile(await pack(layout, directory));
        const reversed = Object.entries(layout.relations).map(([kind, list]) => [kind, [...list].reverse()]);
        const again = await readFile(await pack({ ...layout, relations: Object.fromEntries(reversed) }, directory));
        expect(again.equals(first)).toBe(true);
      }),
      { numRuns: 20 },
    );
  });
});

describe.each([
  { codec: 'none', level: 0 },
  { codec: 'gzip', level: 9 },
  { codec: 'xz', level: 6 },
  { codec: 'zstd', level: 3 },
] as const)('with $codec', (compression) => {
  test('stored contents are unchanged after writing and reading them', async () => {
    const directory = temporaryDirectory();
    const content = Buffer.alloc(3_000_000, 'kubelet ');
    const sample = sampleLayout('rpm');
    const entries = sample.entries.map((entry) =>
      entry.path === '/usr/bin/kubelet' && entry.kind === 'file'
        ? { ...entry, content: { kind: 'stored' as const, sha256: sha256(content), size: content.length } }
        : entry,
    );
    const layout = { ...sample, entries };
    const {
      codec,
      layout: read,
      digests,
    } = await readRpm(await pack(layout, directory, compression, objectsOf(content)));
    expect(codec).toBe(compression.codec);
    expect(diffLayouts(read, layout)).toEqual([]);
    expect(digests.map(({ of, algorithm }) => `${of}: ${algorithm}`)).toEqual([
      'header: sha1',
      'header: sha256',
      'header and payload: md5',
      'payload: sha256',
      'payload, unpacked: sha256',
    ]);
    expect(await readdir(directory)).not.toContainEqual(expect.stringContaining('payload'));
  });
});
