import fc from 'fast-check';
import { SCRIPT_NAMES } from '../../src/model/format.ts';
import type { ChangelogEntry, Entry, EntryRole, Layout } from '../../src/model/layout.ts';
import type { Relation, RelationTarget } from '../../src/model/relation.ts';
import { relations } from './sample-layout.ts';

/** Arbitrary layouts of RPMs for fast-check: all features in unusual combinations. */

const DAY = 24 * 60 * 60;
const UINT32 = 0xffffffff;

const word = fc.stringMatching(/^[a-z][a-z0-9.+-]{1,9}$/);
const version = fc.stringMatching(/^[0-9][A-Za-z0-9.+~^]{0,7}$/);
const line = fc.string({ unit: 'grapheme', maxLength: 20 }).map((text) => text.replace(/[\p{Cc}\p{Cs}]/gu, '_'));
const targetName = fc.oneof(
  word,
  fc.constantFrom('/usr/bin/perl', 'libc.so.6(GLIBC_2.34)(64bit)', 'perl(Foo::Bar)', 'or'),
);

const target: fc.Arbitrary<RelationTarget> = fc.oneof(
  fc.record({ name: targetName }),
  fc.record({
    name: targetName,
    constraint: fc.record({
      operator: fc.constantFrom('<<', '<=', '=', '>=', '>>'),
      version: fc.oneof(
        version,
        fc.tuple(fc.nat(9), version, version).map(([e, v, r]) => `${e}:${v}-${r}`),
      ),
    }),
  }),
);
const plain = target.map((one): Relation => ({ anyOf: [one] }));
const rich = fc.oneof(
  plain,
  fc.array(target, { minLength: 2, maxLength: 3 }).map((anyOf): Relation => ({ anyOf })),
  fc.constantFrom('(a if b)', '(a and (b or c))', '(a >= 1 unless b else c)').map((name) => ({ anyOf: [{ name }] })),
);
const several = (relation: fc.Arbitrary<Relation>) =>
  fc.uniqueArray(relation, { maxLength: 3, selector: (one) => JSON.stringify(one) });

const script = fc.record({
  interpreter: fc.constantFrom('/bin/sh', '/bin/sh -e', '<lua>', '/usr/bin/python3'),
  body: fc.array(line, { maxLength: 3 }).map((lines) => lines.join('\n')),
});

const changelogEntry: fc.Arbitrary<ChangelogEntry> = fc.record({
  version,
  date: fc.nat(40_000).map((day) => day * DAY + DAY / 2),
  author: line.map((text) => `A ${text.trim()} <a@example.org>`),
  changes: fc.array(
    line.map((text) => `Change ${text}`),
    { maxLength: 3 },
  ),
});

const roles = fc.constantFrom<EntryRole>('plain', 'config', 'ghost', 'doc', 'license');
const base = {
  mode: fc.nat(0o7777),
  owner: fc.constantFrom('root', 'kube'),
  group: fc.constantFrom('root', 'kube'),
  mtime: fc.nat(UINT32),
};
const entry = fc.oneof(
  fc.record({
    ...base,
    kind: fc.constant('file' as const),
    role: roles,
    content: fc.uint8Array({ maxLength: 60 }).map((bytes) => ({ kind: 'memory', bytes }) as const),
  }),
  fc.record({ ...base, kind: fc.constant('directory' as const), role: fc.constantFrom('plain', 'ghost') }),
  fc.record({ ...base, kind: fc.constant('symlink' as const), role: roles, target: line.map((text) => `t${text}`) }),
);
const path = fc
  .array(fc.stringMatching(/^[a-zA-Z0-9_é -]{1,6}$/), { minLength: 1, maxLength: 4 })
  .map((parts) => `/${parts.join('/')}`);
const entries: fc.Arbitrary<Entry[]> = fc
  .uniqueArray(fc.tuple(path, entry), { selector: ([name]) => name, maxLength: 8 })
  .map((pairs) => pairs.map(([name, facts]): Entry => ({ ...facts, path: name })))
  .map((list) => list.sort((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path))));

export const rpmLayouts: fc.Arbitrary<Layout> = fc.record({
  format: fc.constant('rpm' as const),
  name: word,
  version: fc.record({ epoch: fc.oneof(fc.constant(0), fc.nat(UINT32)), upstream: version, revision: version }),
  architecture: fc.constantFrom('x86_64', 'aarch64', 'ppc64le', 's390x', 'noarch'),
  summary: line,
  description: fc.array(line, { maxLength: 4 }).map((lines) => lines.join('\n')),
  license: line,
  maintainer: line,
  homepage: line,
  section: line,
  source: word,
  date: fc.nat(UINT32),
  relations: fc
    .record({
      preDepends: several(rich),
      depends: several(rich),
      recommends: several(rich),
      suggests: several(rich),
      enhances: several(rich),
      supplements: several(rich),
      conflicts: several(rich),
      replaces: several(plain),
      provides: several(plain),
    })
    .map(relations),
  scripts: fc.dictionary(fc.constantFrom(...SCRIPT_NAMES.rpm), script, { maxKeys: 3, noNullPrototype: true }),
  changelog: fc.array(changelogEntry, { maxLength: 2 }),
  entries,
});
