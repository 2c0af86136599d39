import { execa } from 'execa';
import { contentSha256, contentSize } from '../../src/model/content.ts';
import type { Entry, Layout } from '../../src/model/layout.ts';
import { formatVersion } from '../../src/model/package-version.ts';
import type { Relation, RelationKind } from '../../src/model/relation.ts';

/** What dpkg-deb and rpm report about a package, and what they must report for a layout. */

const DEB_FIELDS: Readonly<Record<string, RelationKind>> = {
  'Pre-Depends': 'preDepends',
  Depends: 'depends',
  Recommends: 'recommends',
  Suggests: 'suggests',
  Enhances: 'enhances',
  Conflicts: 'conflicts',
  Breaks: 'breaks',
  Replaces: 'replaces',
  Provides: 'provides',
};

export interface DebFacts {
  readonly fields: Readonly<Record<string, string>>;
  /** `-rwxr-xr-x root/root 42 2026-09-01 00:00 ./usr/bin/kubelet` */
  readonly contents: readonly string[];
  /** `SHA-256 ./usr/bin/kubelet` of every file. */
  readonly digests: readonly string[];
}

export async function dpkgDeb(path: string): Promise<DebFacts> {
  const env = { TZ: 'UTC', LC_ALL: 'C.UTF-8' };
  const command = 'sha256sum | sed "s,-\\$,$TAR_FILENAME,"';
  const script = 'dpkg-deb --fsys-tarfile "$1" | tar -x --to-command="$2"';
  const [{ stdout: fields }, { stdout: contents }, { stdout: digests }] = await Promise.all([
    execa('dpkg-deb', ['--field', path], { env }),
    execa('dpkg-deb', ['--contents', path], { env }),
    execa('sh', ['-euc', script, 'sh', path, command], { env }),
  ]);
  const pairs = fields.split(/\n(?! )/).map((field) => {
    const colon = field.indexOf(':');
    return [field.slice(0, colon), field.slice(colon + 2)];
  });
  return {
    fields: Object.fromEntries(pairs.filter(([name]) => name !== 'Installed-Size')),
    contents: contents.split('\n').map((line) => line.replace(/ +/g, ' ')),
    digests: digests.split('\n').map((line) => line.replace('  ', ' ')),
  };
}

export function asDpkgDeb(layout: Layout): DebFacts {
  const fields: Record<string, string> = {
    Package: layout.name,
    Version: formatVersion(layout.version),
    Architecture: layout.architecture,
    Maintainer: layout.maintainer,
    Section: layout.section,
    Priority: 'optional',
    Homepage: layout.homepage,
    Description: [layout.summary, ...layout.description.split('\n').map((line) => ` ${line || '.'}`)].join('\n'),
  };
  if (layout.multiArch !== undefined) fields['Multi-Arch'] = layout.multiArch;
  for (const [field, kind] of Object.entries(DEB_FIELDS)) {
    const list = layout.relations[kind];
    if (list.length > 0) fields[field] = list.map((relation) => debRelation(relation)).join(', ');
  }
  const time = new Date(layout.date * 1000).toISOString().replace('T', ' ').slice(0, 16);
  const line = (letters: string, size: number, path: string) => `${letters} root/root ${size} ${time} .${path}`;
  return {
    fields,
    contents: [
      line('drwxr-xr-x', 0, '/'),
      ...layout.entries.map((entry) =>
        line(letters(entry), sizeOf(entry), entry.kind === 'directory' ? `${entry.path}/` : entry.path),
      ),
    ],
    digests: layout.entries.flatMap((entry) =>
      entry.kind === 'file' ? [`${contentSha256(entry.content)} .${entry.path}`] : [],
    ),
  };
}

function debRelation({ anyOf }: Relation): string {
  return anyOf.map(({ name, constraint: is }) => (is ? `${name} (${is.operator} ${is.version})` : name)).join(' | ');
}

const RPM_LISTS: Readonly<Record<string, RelationKind>> = {
  recommends: 'recommends',
  suggests: 'suggests',
  enhances: 'enhances',
  supplements: 'supplements',
  conflicts: 'conflicts',
  obsoletes: 'replaces',
};

export interface RpmFacts {
  readonly tags: Readonly<Record<string, string>>;
  /** Sorted; without rpmlib(). */
  readonly relations: Readonly<Record<string, readonly string[]>>;
  /** Lines of --dump, with rpm's letters for config (c, noreplace: n), doc (d), ghost (g) and license (l). */
  readonly files: readonly string[];
}

const RPM_TAGS = ['NAME', 'EPOCHNUM', 'VERSION', 'RELEASE', 'ARCH', 'LICENSE', 'GROUP', 'URL', 'PACKAGER', 'BUILDTIME'];

/** @param directory an empty directory for rpm's database */
export async function rpm(path: string, directory: string): Promise<RpmFacts> {
  const env = { HOME: directory, LC_ALL: 'C.UTF-8' };
  const lines = async (...args: string[]) => {
    const { stdout } = await execa('rpm', ['--dbpath', `${directory}/db`, '-qp', ...args, path], { env });
    return stdout === '' ? [] : stdout.split('\n');
  };
  const relations: Record<string, string[]> = {};
  for (const list of ['requires', 'provides', ...Object.keys(RPM_LISTS)]) {
    // /bin/sh is required once per scriptlet; hooks.test.ts tests the scriptlets.
    relations[list] = (await lines(`--${list}`)).filter((line) => !/^rpmlib\(|^\/bin\/sh$/.test(line)).sort();
  }
  const tags = await lines('--qf', RPM_TAGS.map((tag) => `%{${tag}}\n`).join(''));
  const flags = await lines('--qf', '[%{FILEFLAGS:fflags}\n]');
  const dump = await lines('--dump');
  return {
    tags: Object.fromEntries(RPM_TAGS.map((tag, index) => [tag, tags[index] ?? ''])),
    relations,
    files: dump.map((line, index) => `${line} ${flags[index] ?? ''}`.trimEnd()),
  };
}

export function asRpm(layout: Layout): RpmFacts {
  const { epoch, upstream, revision } = layout.version;
  const own = formatVersion(layout.version);
  const isa = { x86_64: '(x86-64)', aarch64: '(aarch-64)', ppc64le: '(ppc-64)', s390x: '(s390-64)' }[
    layout.architecture
  ];
  const config = layout.entries.some(({ role }) => role === 'config') ? [`config(${layout.name}) = ${own}`] : [];
  const of = (kind: RelationKind) => layout.relations[kind].map(rpmRelation);
  const lists = Object.entries(RPM_LISTS).map(([list, kind]) => [list, of(kind).sort()]);
  return {
    tags: {
      NAME: layout.name,
      EPOCHNUM: String(epoch),
      VERSION: upstream,
      RELEASE: revision,
      ARCH: layout.architecture,
      LICENSE: layout.license,
      GROUP: layout.section,
      URL: layout.homepage,
      PACKAGER: layout.maintainer,
      BUILDTIME: String(layout.date),
    },
    relations: {
      requires: [...of('preDepends'), ...of('depends'), ...config].sort(),
      provides: [...of('provides'), `${layout.name} = ${own}`, `${layout.name}${isa} = ${own}`, ...config].sort(),
      ...Object.fromEntries(lists),
    },
    files: layout.entries.map(dumpLine),
  };
}

function rpmRelation({ anyOf }: Relation): string {
  const words = anyOf.map(({ name, constraint: is }) =>
    is ? `${name} ${is.operator.replace(/^([<>])\1$/, '$1')} ${is.version}` : name,
  );
  return words.length === 1 ? words.join() : `(${words.join(' or ')})`;
}

const ROLE_LETTERS = { plain: '', config: 'cn', ghost: 'g', doc: 'd', license: 'l' } as const;

/** rpm(8), --dump: path size mtime digest mode owner group isconfig isdoc rdev symlink */
function dumpLine(entry: Entry): string {
  const kind = { file: '0100', directory: '040', symlink: '0120' }[entry.kind];
  const words = [
    entry.path,
    sizeOf(entry),
    entry.mtime,
    entry.kind === 'file' ? contentSha256(entry.content) : '0'.repeat(64),
    `${kind}${entry.mode.toString(8).padStart(3, '0')}`,
    entry.owner,
    entry.group,
    entry.role === 'config' ? 1 : 0,
    entry.role === 'doc' ? 1 : 0,
    0,
    entry.kind === 'symlink' ? entry.target : 'X',
    ROLE_LETTERS[entry.role],
  ];
  return words.join(' ').trimEnd();
}

function sizeOf(entry: Entry): number {
  return entry.kind === 'file' ? contentSize(entry.content) : 0;
}

function letters({ kind, mode }: Entry): string {
  const bits = [...'rwxrwxrwx'].map((letter, index) => ((mode >> (8 - index)) & 1 ? letter : '-'));
  return `${{ file: '-', directory: 'd', symlink: 'l' }[kind]}${bits.join('')}`;
}
