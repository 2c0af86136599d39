import { posix } from 'node:path';
import type { TreeItem } from '../layout/tree.ts';
import { SCRIPT_NAMES } from '../model/format.ts';
import type { Entry, Layout } from '../model/layout.ts';
import type { Relation, RelationKind } from '../model/relation.ts';
import { KubeparcelError } from '../support/errors.ts';
import { shellWord } from '../support/shell-words.ts';
import { formatAlternatives, formatTarget } from './dependency.ts';

/**
 * The input of `rpmbuild -bb` as a %_topdir: SPECS/NAME.spec, SOURCES/NAME/ with the tree that the package installs, and an
 * empty BUILDROOT.
 */
export function rpmTree(layout: Layout): TreeItem[] {
  const mtime = layout.date;
  const directory = (path: string): TreeItem => ({ path, kind: 'directory', mode: 0o755, mtime });
  const root = `SOURCES/${layout.name}`;
  return [
    directory('BUILDROOT'),
    directory('SOURCES'),
    directory(root),
    ...layout.entries
      .filter((entry) => entry.role !== 'ghost')
      .map((entry): TreeItem => ({ ...entry, path: `${root}${entry.path}` })),
    directory('SPECS'),
    {
      path: `SPECS/${layout.name}.spec`,
      kind: 'file',
      mode: 0o644,
      mtime,
      content: { kind: 'memory', bytes: new TextEncoder().encode(specFile(layout)) },
    },
  ];
}

/**
 * A spec file that packages the tree unchanged: without dependency generators and stripping, and with SOURCE_DATE_EPOCH
 * as the only time.
 */
function specFile(layout: Layout): string {
  const { version } = layout;
  return [
    ...REPRODUCIBLE_BUILD,
    '',
    `Name: ${literal(layout.name)}`,
    ...(version.epoch === 0 ? [] : [`Epoch: ${version.epoch}`]),
    `Version: ${literal(version.upstream)}`,
    `Release: ${literal(version.revision)}`,
    `Summary: ${literal(layout.summary)}`,
    `License: ${literal(layout.license)}`,
    `Group: ${literal(layout.section)}`,
    `URL: ${literal(layout.homepage)}`,
    `Packager: ${literal(layout.maintainer)}`,
    ...(layout.architecture === 'noarch' ? ['BuildArch: noarch'] : []),
    'AutoReqProv: no',
    ...relationLines(layout),
    '',
    '%description',
    section('the description', layout.description),
    '',
    '%install',
    "cp -a '%{_sourcedir}/%{name}/.' '%{buildroot}/'",
    ...ghostLines(layout.entries),
    ...scriptSections(layout),
    '',
    '%files',
    ...layout.entries.map(fileLine),
    '',
    '%changelog',
    ...changelogLines(layout),
    '',
  ].join('\n');
}

const REPRODUCIBLE_BUILD = [
  '# The tree in SOURCES is complete: rpmbuild must neither strip it nor look for dependencies in it.',
  '%global debug_package %{nil}',
  '%global __os_install_post %{nil}',
  '%global _build_id_links none',
  '# The same input gives the same package.',
  '%global source_date_epoch_from_changelog 0',
  '%global use_source_date_epoch_as_buildtime 1',
  '%global _buildhost localhost',
  '# A distribution may cut old entries off.',
  '%global _changelog_trimtime 0',
  '%global _changelog_trimage 0',
];

const RELATION_TAGS: Readonly<Partial<Record<RelationKind, string>>> = {
  preDepends: 'Requires(pre)',
  depends: 'Requires',
  recommends: 'Recommends',
  suggests: 'Suggests',
  enhances: 'Enhances',
  supplements: 'Supplements',
  conflicts: 'Conflicts',
  replaces: 'Obsoletes',
  provides: 'Provides',
};

function relationLines(layout: Layout): string[] {
  return Object.entries(RELATION_TAGS).flatMap(([kind, tag]) =>
    layout.relations[kind as RelationKind].map((relation) => `${tag}: ${escapeMacros(specRelation(relation))}`),
  );
}

function specRelation({ anyOf }: Relation): string {
  const [first, ...others] = anyOf;
  return first !== undefined && others.length === 0 ? formatTarget(first) : formatAlternatives(anyOf);
}

function scriptSections(layout: Layout): string[] {
  return SCRIPT_NAMES.rpm.flatMap((name) => {
    const script = layout.scripts[name];
    return script === undefined ? [] : ['', `%${name} -p "${script.interpreter}"`, section(name, script.body)];
  });
}

/** Creates the ghosts, then restores the mtimes of the directories that contain them. */
function ghostLines(entries: readonly Entry[]): string[] {
  const ghosts = entries.filter((entry) => entry.role === 'ghost');
  const around = entries.filter(
    ({ kind, path }) => kind === 'directory' && ghosts.some((ghost) => ghost.path.startsWith(`${path}/`)),
  );
  const target = (path: string) => `'%{buildroot}'${shellWord(escapeMacros(path))}`;
  return [
    ...ghosts.map((ghost) => {
      if (ghost.kind === 'directory') return `mkdir -p ${target(ghost.path)}`;
      if (ghost.kind === 'file') return `install -D /dev/null ${target(ghost.path)}`;
      const link = `ln -s ${shellWord(escapeMacros(ghost.target))} ${target(ghost.path)}`;
      return `mkdir -p ${target(posix.dirname(ghost.path))} && ${link}`;
    }),
    ...[...new Set([...ghosts, ...around])].map(({ mtime, path }) => `touch -h -d @${mtime} ${target(path)}`),
  ];
}

const ROLE_DIRECTIVES = {
  plain: '',
  config: '%config(noreplace) ',
  ghost: '%ghost ',
  doc: '%doc ',
  license: '%license ',
};

function fileLine(entry: Entry): string {
  const mode = entry.kind === 'symlink' ? '-' : `0${entry.mode.toString(8)}`;
  const attributes = `%attr(${mode}, ${entry.owner}, ${entry.group}) `;
  const kind = entry.kind === 'directory' ? '%dir ' : '';
  return `${attributes}${ROLE_DIRECTIVES[entry.role]}${kind}"${filePattern(entry.path)}"`;
}

/** %files expands globs and macros, and rpmbuild versions disagree on how to escape them. */
function filePattern(path: string): string {
  if (/["%*?[{\\\n]/.test(path)) {
    throw new KubeparcelError('format', 'this path cannot be written in a spec file', { where: JSON.stringify(path) });
  }
  return path;
}

function changelogLines(layout: Layout): string[] {
  return layout.changelog.flatMap((entry) => [
    `* ${changelogDate(entry.date)} ${escapeMacros(entry.author)} - ${escapeMacros(entry.version)}`,
    ...entry.changes.map((change) => `- ${escapeMacros(change)}`),
  ]);
}

/** `Wed Nov 05 2025`, in UTC and English regardless of the locale. */
function changelogDate(seconds: number): string {
  const [weekday, day, month, year] = new Date(seconds * 1000).toUTCString().replace(',', '').split(' ');
  return `${weekday} ${month} ${day} ${year}`;
}

/** A one-line value of the preamble. */
function literal(value: string): string {
  if (/\n/.test(value)) {
    throw new KubeparcelError('format', 'this value must be a single line', { where: JSON.stringify(value) });
  }
  return escapeMacros(value);
}

/**
 * A multi-line section. rpmbuild looks for section and condition keywords after it has expanded macros, so a line that
 * begins with one cannot be escaped.
 */
function section(what: string, text: string): string {
  const line = /^[ \t]*%[a-z].*$/m.exec(text)?.[0];
  if (line !== undefined) {
    throw new KubeparcelError('format', `a line of ${what} cannot be written in a spec file`, {
      where: JSON.stringify(line),
    });
  }
  return escapeMacros(text);
}

function escapeMacros(text: string): string {
  return text.replaceAll('%', '%%');
}
