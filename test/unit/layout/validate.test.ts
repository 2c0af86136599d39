import { expect, test } from 'vitest';
import { validateLayout } from '../../../src/layout/validate.ts';
import type { Entry, Layout } from '../../../src/model/layout.ts';
import { relations, sampleLayout } from '../../support/sample-layout.ts';

const layout = sampleLayout('deb');
const withEntry = (change: Partial<Entry>): Partial<Layout> => ({
  entries: layout.entries.map((entry, index) => (index === 0 ? ({ ...entry, ...change } as Entry) : entry)),
});

test('a valid layout of either format is accepted', () => {
  expect(() => validateLayout(layout)).not.toThrow();
  expect(() => validateLayout(sampleLayout('rpm'))).not.toThrow();
});

const invalid: [what: string, change: Partial<Layout>, message: RegExp][] = [
  ['a name with capitals', { name: 'Kubelet' }, /package name/],
  ['a version with a dash', { version: { ...layout.version, upstream: '1.37.0-rc.1' } }, /upstream version/],
  ['a summary that adds a field', { summary: 'x\nEssential: yes' }, /summary/],
  ['a homepage with a line break', { homepage: 'https://x\r\nDepends: y' }, /homepage/],
  [
    'a relation with an operator in its name',
    { relations: relations({ depends: [{ anyOf: [{ name: 'a, b' }] }] }) },
    /depends/,
  ],
  ['a relation without targets', { relations: relations({ depends: [{ anyOf: [] }] }) }, /depends/],
  ['a scriptlet in a DEB', { scripts: { posttrans: { interpreter: '/bin/sh', body: '' } } }, /posttrans/],
  ['a path with ..', withEntry({ path: '/etc/../../root' }), /normalized path/],
  ['a relative path', withEntry({ path: 'etc' }), /normalized path/],
  ['a trailing slash', withEntry({ path: '/etc/' }), /normalized path/],
  ['a path with a line break', withEntry({ path: '/etc\nx' }), /normalized path/],
  ['entries out of order', { entries: [...layout.entries].reverse() }, /does not sort/],
  ['an entry twice', { entries: layout.entries.flatMap((entry) => [entry, entry]) }, /does not sort/],
  ['a mode beyond permissions', withEntry({ mode: 0o100644 }), /mode/],
  ['a time before 1970', withEntry({ mtime: -1 }), /time/],
  ['an invalid owner', withEntry({ owner: 'root:x' }), /owner/],
];

test.each(invalid)('%s is rejected', (_, change, message) => {
  expect(() => validateLayout({ ...layout, ...change })).toThrow(message);
});
