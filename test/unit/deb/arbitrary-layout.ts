import fc from 'fast-check';
import { gzipSmall } from '../../../src/compress/codecs/gzip.ts';
import type { ChangelogEntry, Entry, Layout, Script } from '../../../src/model/layout.ts';
import { RELATION_KINDS, type Relation } from '../../../src/model/relation.ts';

const DATE = 1_760_000_000;

const word = (alphabet: string, maxLength: number) =>
  fc.string({ unit: fc.constantFrom(...alphabet), minLength: 1, maxLength });

const LOWER = 'abcdefghijklmnopqrstuvwxyz0123456789';
const packageName = word(`${LOWER}+.-`, 12).map((rest) => `k${rest}`);
const versionText = word('0123456789.+~abc', 8).map((rest) => `1${rest}`);
const owner = fc.constantFrom('root', 'root', 'kube', 'www-data', 'a-name-of-thirty-one-bytes-1234');
/** Text on one line that neither begins nor ends with a blank. */
const line = fc
  .string({ unit: fc.constantFrom(...'abc XYZ.:,-#()é漢😀'), minLength: 1, maxLength: 60 })
  .map((text) => text.trim())
  .filter((text) => text !== '' && text !== '.');

/** Short, long, very long and odd names of files. */
const fileName = fc
  .oneof(
    word(`${LOWER}-_.+~`, 10),
    word(`${LOWER} \\"'#%é漢`, 10),
    fc.integer({ min: 80, max: 120 }).map((length) => 'long'.repeat(40).slice(0, length)),
    fc.constant('漢'.repeat(60)),
  )
  .filter((name) => name !== '.' && name !== '..' && !/^\s|\s$/.test(name));

const relation: fc.Arbitrary<Relation> = fc
  .array(
    fc.record(
      {
        name: fc.oneof(
          packageName,
          packageName.map((name) => `${name}:any`),
        ),
        constraint: fc.record({
          operator: fc.constantFrom('<<', '<=', '=', '>=', '>>'),
          version: fc.oneof(
            versionText,
            versionText.map((version) => `2:${version}-1~a`),
          ),
        }),
      },
      { requiredKeys: ['name'] },
    ),
    { minLength: 1, maxLength: 3 },
  )
  .map((anyOf) => ({ anyOf }));

const relations = fc
  .record(
    Object.fromEntries(
      RELATION_KINDS.map((kind) => [
        kind,
        kind === 'supplements' ? fc.constant([]) : fc.array(relation, { maxLength: 2 }),
      ]),
    ),
  )
  .map((kinds) => kinds as unknown as Layout['relations']);

const script: fc.Arbitrary<Script> = fc.record({
  interpreter: fc.constantFrom('/bin/sh', '/bin/sh -e', '/usr/bin/perl'),
  body: fc.oneof(fc.constant(''), fc.constant('set -e\necho "ü"\n'), fc.string({ unit: 'grapheme-ascii' })),
});

const change: fc.Arbitrary<ChangelogEntry> = fc.record({
  version: versionText.map((version) => `${version}-1`),
  date: fc.integer({ min: 0, max: DATE }),
  author: fc.constantFrom('Release Team <release@example.org>', 'Ä B <a@b>'),
  changes: fc.array(
    line.filter((text) => !text.startsWith('*')),
    { minLength: 1, maxLength: 3 },
  ),
});

type Leaf = { parents: string[]; name: string; entry: (path: string) => Entry };

const base = fc.record({ owner, group: owner, mtime: fc.integer({ min: 0, max: DATE }) });
const mode = fc.constantFrom(0o644, 0o755, 0o600, 0o4755, 0o1777, 0o7777, 0);
const parents = fc.array(fc.oneof(fc.constantFrom('usr', 'bin', 'etc', 'share'), fileName), { maxLength: 4 });

const leaf: fc.Arbitrary<Leaf> = fc.oneof(
  fc
    .record({ parents, name: fileName, base, mode, config: fc.boolean(), bytes: fc.uint8Array({ maxLength: 2000 }) })
    .map(
      ({ parents: directories, name, base: common, mode: bits, config, bytes }): Leaf => ({
        parents: directories,
        name,
        entry: (path) => ({
          ...common,
          kind: 'file',
          path,
          mode: bits,
          role: config ? 'config' : 'plain',
          content: { kind: 'memory', bytes },
        }),
      }),
    ),
  fc.record({ parents, name: fileName, base, target: fc.oneof(fileName, fc.constant('/x/'.repeat(60))) }).map(
    ({ parents: directories, name, base: common, target }): Leaf => ({
      parents: directories,
      name,
      entry: (path) => ({ ...common, kind: 'symlink', path, mode: 0o777, role: 'plain', target }),
    }),
  ),
  fc.record({ parents, name: fileName, base, mode }).map(
    ({ parents: directories, name, base: common, mode: bits }): Leaf => ({
      parents: directories,
      name,
      entry: (path) => ({ ...common, kind: 'directory', path, mode: bits, role: 'plain' }),
    }),
  ),
);

/** A DEB's changelog, every change a bullet of its own. */
function changelogText(source: string, entries: readonly ChangelogEntry[]): string {
  return entries
    .map(({ version, date, author, changes }) => {
      const when = new Date(date * 1000).toUTCString().replace('GMT', '+0000');
      return `${source} (${version}) unstable; urgency=low\n\n  * ${changes.join('\n  * ')}\n\n -- ${author}  ${when}\n`;
    })
    .join('\n');
}

/** Documents that match the other fields of the model. */
function documents(name: string, license: string, changelog: readonly ChangelogEntry[]): Leaf[] {
  const document = (file: string, role: 'doc' | 'license', bytes: Uint8Array): Leaf => ({
    parents: ['usr', 'share', 'doc', name],
    name: file,
    entry: (path) => ({
      kind: 'file',
      path,
      mode: 0o644,
      owner: 'root',
      group: 'root',
      mtime: DATE,
      role,
      content: { kind: 'memory', bytes },
    }),
  });
  const format = 'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/';
  const copyright = `${format}\n\nFiles: *\nCopyright: x\nLicense: ${license}\n`;
  return [
    ...(license === '' ? [] : [document('copyright', 'license', Buffer.from(copyright))]),
    ...(changelog.length === 0
      ? []
      : [document('changelog.Debian.gz', 'doc', gzipSmall(Buffer.from(changelogText(name, changelog))))]),
  ];
}

function tree(leaves: readonly Leaf[]): Entry[] {
  const entries = new Map<string, Entry>();
  const directory = (path: string): Entry => ({
    kind: 'directory',
    path,
    mode: 0o755,
    owner: 'root',
    group: 'root',
    mtime: DATE,
    role: 'plain',
  });
  for (const { parents: names, name, entry } of leaves) {
    const above = names.map((_, index) => `/${names.slice(0, index + 1).join('/')}`);
    const path = `/${[...names, name].join('/')}`;
    if (entries.has(path) || above.some((each) => (entries.get(each)?.kind ?? 'directory') !== 'directory')) {
      continue;
    }
    for (const each of above) {
      if (!entries.has(each)) entries.set(each, directory(each));
    }
    entries.set(path, entry(path));
  }
  return [...entries.values()].sort((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)));
}

const description = fc
  .array(
    fc.oneof(
      line,
      fc.constant(''),
      line.map((text) => `   ${text}`),
    ),
    { maxLength: 5 },
  )
  .map((lines) => lines.join('\n'))
  .filter((text) => text !== '');

/** Any layout that a DEB can hold and that its documents do not contradict. */
export const arbitraryLayout: fc.Arbitrary<Layout> = fc
  .record({
    name: packageName,
    version: fc.record({ epoch: fc.constantFrom(0, 0, 3), upstream: versionText, revision: versionText }),
    architecture: fc.constantFrom('amd64', 'ppc64el', 'all'),
    summary: line,
    description: fc.oneof(fc.constant(''), description),
    license: fc.constantFrom('', 'Apache-2.0', 'Apache-2.0 AND MIT AND BSD-3-Clause'),
    maintainer: fc.constantFrom('A <a@b>', 'Ü, Q. <u@example.org>'),
    homepage: fc.constantFrom('', 'https://example.org'),
    section: fc.constantFrom('', 'admin', 'contrib/net'),
    source: fc.option(packageName, { nil: undefined }),
    multiArch: fc.constantFrom(undefined, 'foreign', 'same', 'allowed'),
    relations,
    scripts: fc.record({ preinst: script, postinst: script, prerm: script, postrm: script }, { requiredKeys: [] }),
    changelog: fc.array(change, { maxLength: 2 }),
    leaves: fc.array(leaf, { maxLength: 8 }),
  })
  .map(({ leaves, multiArch, source, ...facts }) => ({
    ...facts,
    format: 'deb',
    date: DATE,
    source: source ?? facts.name,
    ...(multiArch === undefined ? {} : { multiArch }),
    entries: tree([...documents(facts.name, facts.license, facts.changelog), ...leaves]),
  }));
