import { gzipSmall } from '../../src/compress/codecs/gzip.ts';
import { debianChangelog } from '../../src/layout/documents.ts';
import { SCRIPT_NAMES } from '../../src/model/format.ts';
import type { ChangelogEntry, Entry, Layout } from '../../src/model/layout.ts';
import type { Relation } from '../../src/model/relation.ts';
import { relations, sampleLayout } from './sample-layout.ts';

/** Layouts that use every feature of a format, with awkward but valid spellings. */

const NOON = 1_759_838_400;
const DAY = 24 * 60 * 60;

const bytes = (text: string) => ({ kind: 'memory', bytes: new TextEncoder().encode(text) }) as const;
const any = (...names: string[]): Relation => ({ anyOf: names.map((name) => ({ name })) });
const compared = (name: string, operator: '<<' | '<=' | '=' | '>=' | '>>', version: string): Relation => ({
  anyOf: [{ name, constraint: { operator, version } }],
});

const SCRIPT = [
  'set -e',
  '# 100% %{name} %%doubled %(exit 1) %1',
  `echo "double \\"quoted\\" \\\\ \\n" 'single'"'"'quoted' \`date\` $1 \${2:-%d}`,
  '',
  '\tprintf \'%s\\n\' "$@" \\',
  '  && true',
  'cat <<EOF',
  'ä {open [bracket (paren',
  'EOF',
].join('\n');

const LUA = 'print("100% %{name} %%", \'a "quote"\', "\\\\")\n-- [[ %post';

const CHANGELOG: readonly ChangelogEntry[] = [
  {
    version: '2:1.37.0~rc.1-3',
    date: NOON,
    author: 'Release Team <release@example.org>',
    changes: ['100% done: %{name}, %post', 'ä "quoted" \\ slash'],
  },
  { version: '2:1.36.0-1', date: NOON - 30 * DAY, author: 'A. Pérson <a@example.org>', changes: ['%%'] },
  { version: '1.35.0-1', date: NOON - 300 * DAY, author: 'A. Pérson <a@example.org>', changes: ['first'] },
];

const DESCRIPTION = ['50% of "everything" \\ %{name}', '', 'Two:', ' * one', '   of %post', ' * zwei ä'].join('\n');

function files(owner: string): Entry[] {
  const base = { owner, group: owner, mtime: NOON - 3600, role: 'plain' } as const;
  return [
    { ...base, kind: 'directory', path: '/etc/every', mode: 0o750 },
    { ...base, kind: 'file', path: '/etc/every/a b.conf', mode: 0o640, role: 'config', content: bytes('a=1\n') },
    { ...base, kind: 'file', path: '/etc/every/plain.conf', mode: 0o600, role: 'config', content: bytes('') },
    { ...base, kind: 'directory', path: '/opt/every', mode: 0o755 },
    { ...base, kind: 'file', path: "/opt/every/it's", mode: 0o644, content: bytes('quote') },
    { ...base, kind: 'file', path: '/opt/every/two words', mode: 0o4755, content: bytes('#!/bin/sh\n') },
    { ...base, kind: 'file', path: '/opt/every/set-gid', mode: 0o2711, content: bytes('glob') },
    { ...base, kind: 'file', path: '/opt/every/漢字 é', mode: 0o644, content: bytes('漢') },
    { ...base, kind: 'symlink', path: '/opt/every/link', mode: 0o777, target: '../every/two words' },
    { ...base, kind: 'symlink', path: '/opt/every/nowhere', mode: 0o777, target: '/no/such/%file' },
    { ...base, kind: 'directory', path: '/opt/every/shared', mode: 0o1777 },
  ];
}

function sorted(entries: readonly Entry[]): Entry[] {
  return [...entries].sort((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)));
}

function common(format: 'deb' | 'rpm'): Layout {
  return {
    ...sampleLayout(format),
    name: 'every',
    version: { epoch: 2, upstream: '1.37.0~rc.1', revision: '3' },
    summary: 'All 100% of it: %{name}, "quoted", ä',
    description: DESCRIPTION,
    maintainer: 'Ünlaut, 100% <release@example.org>',
    homepage: 'https://example.org/a%20b',
    changelog: CHANGELOG,
    date: NOON,
  };
}

/** All relation kinds of DEBs and all maintainer scripts. Files belong to root, because dpkg-deb makes root their owner. */
export function everyDebLayout(): Layout {
  const layout = common('deb');
  const base = { owner: 'root', group: 'root', mtime: NOON, role: 'plain' } as const;
  const directory = (path: string): Entry => ({ ...base, kind: 'directory', path, mode: 0o755 });
  const documents = '/usr/share/doc/every';
  const copyright = 'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\nFiles: *\n';
  return {
    ...layout,
    source: 'all-of-it',
    multiArch: 'foreign',
    relations: relations({
      preDepends: [any('init-system-helpers'), compared('dpkg', '>=', '1.17.14')],
      depends: [
        { anyOf: [{ name: 'a', constraint: { operator: '>=', version: '2:1~rc1-1' } }, { name: 'b:any' }] },
        any('python3:any'),
      ],
      recommends: [compared('recommended', '>>', '1'), any('x', 'y')],
      suggests: [compared('suggested', '=', '1-1')],
      enhances: [compared('enhanced', '<=', '3')],
      conflicts: [compared('conflicting', '<<', '1')],
      breaks: [compared('broken', '<=', '1.0~')],
      replaces: [compared('replaced', '<<', '1'), any('other')],
      provides: [compared('provided', '=', '1'), any('virtual')],
    }),
    scripts: Object.fromEntries(
      SCRIPT_NAMES.deb.map((name, index) => [
        name,
        { interpreter: index % 2 === 0 ? '/bin/sh' : '/bin/sh -e', body: `${SCRIPT}\n` },
      ]),
    ),
    entries: sorted([
      ...files('root'),
      { ...base, kind: 'file', path: '/opt/every/%name', mode: 0o644, content: bytes('macro') },
      { ...base, kind: 'file', path: '/opt/every/[glob]?*{a,b}', mode: 0o644, content: bytes('glob') },
      { ...base, kind: 'file', path: '/opt/every/back\\slash', mode: 0o644, content: bytes('backslash') },
      ...['/etc', '/opt', '/usr', '/usr/share', '/usr/share/doc', documents].map(directory),
      {
        ...base,
        kind: 'file',
        path: `${documents}/changelog.Debian.gz`,
        mode: 0o644,
        role: 'doc',
        content: { kind: 'memory', bytes: gzipSmall(Buffer.from(debianChangelog('all-of-it', CHANGELOG))) },
      },
      {
        ...base,
        kind: 'file',
        path: `${documents}/copyright`,
        mode: 0o644,
        role: 'license',
        content: bytes(`${copyright}Copyright: 2026 ä\nLicense: Apache-2.0\n`),
      },
    ]),
  };
}

/**
 * All relation kinds of RPMs, scriptlets, ghosts, files of other users. It has no names with %, globs and backslashes,
 * which spec files cannot express, and no scriptlets that rpmbuild 4.18 does not support.
 */
export function everyRpmLayout(): Layout {
  const layout = common('rpm');
  const own = { owner: 'daemon', group: 'daemon', mtime: NOON - 7200 } as const;
  const base = { owner: 'root', group: 'root', mtime: NOON } as const;
  const interpreters = ['/bin/sh', '<lua>', '/bin/sh -e -u', '/usr/bin/python3'];
  const names = SCRIPT_NAMES.rpm.filter((name) => !/^p\w+untrans$/.test(name));
  return {
    ...layout,
    source: 'every',
    section: 'System Environment/Base',
    license: 'Apache-2.0 AND (MIT OR BSD-3-Clause)',
    relations: relations({
      preDepends: [any('/usr/sbin/useradd'), compared('shadow-utils', '>=', '2:4.6')],
      depends: [
        compared('iptables', '>>', '1.4'),
        { anyOf: [{ name: 'conntrack' }, { name: 'conntrack-tools', constraint: { operator: '>=', version: '1.4' } }] },
        any('(socat if podman)'),
        any('libc.so.6(GLIBC_2.34)(64bit)'),
      ],
      recommends: [compared('cri-tools', '<<', '2'), any('x', 'y')],
      suggests: [any('containerd')],
      enhances: [compared('podman', '<=', '9')],
      supplements: [compared('kubeadm', '=', '1.37.0~rc.1-3')],
      conflicts: [compared('docker', '<=', '1:20')],
      replaces: [compared('old', '<<', '1')],
      provides: [compared('virtual', '=', '1.37'), any('plain-virtual')],
    }),
    scripts: Object.fromEntries(
      names.map((name, index) => [
        name,
        interpreters[index % interpreters.length] === '<lua>'
          ? { interpreter: '<lua>', body: LUA }
          : { interpreter: interpreters[index % interpreters.length] ?? '', body: `${SCRIPT}\n# ${name}` },
      ]),
    ),
    entries: sorted([
      ...files('daemon'),
      { ...own, kind: 'file', path: '/var/lib/every/a ghost', mode: 0o600, role: 'ghost', content: bytes('') },
      { ...own, kind: 'directory', path: '/var/lib/every/ghosts', mode: 0o700, role: 'ghost' },
      { ...own, kind: 'symlink', path: '/var/lib/every/ghost-link', mode: 0o777, role: 'ghost', target: 'a ghost' },
      { ...base, kind: 'file', path: '/usr/share/doc/every/READ ME', mode: 0o644, role: 'doc', content: bytes('%') },
      {
        ...base,
        kind: 'file',
        path: '/usr/share/licenses/every/LICENSE',
        mode: 0o444,
        role: 'license',
        content: bytes('license'),
      },
    ]),
  };
}
