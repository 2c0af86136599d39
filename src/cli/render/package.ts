import type { Difference } from '../../layout/diff.ts';
import type { ReadPackage } from '../../layout/packager.ts';
import { contentSize } from '../../model/content.ts';
import { type Entry, payloadSize } from '../../model/layout.ts';
import { formatVersion } from '../../model/package-version.ts';
import { formatRelation, RELATION_KINDS } from '../../model/relation.ts';
import { plural } from '../../support/plural.ts';
import { humanSize } from './table.ts';

/** The output of `kubeparcel inspect`. */
export function renderPackage(file: string, read: ReadPackage): string {
  const { layout } = read;
  return forTerminal(
    [
      file,
      ...fields([
        ['name', layout.name],
        ['version', formatVersion(layout.version)],
        ['architecture', layout.architecture],
        ['summary', layout.summary],
        ['license', layout.license],
        ['maintainer', layout.maintainer],
        ['homepage', layout.homepage],
        ['section', layout.section],
        ['source', layout.source],
        ['multi-arch', layout.multiArch ?? ''],
        ['date', utc(layout.date)],
        [
          'payload',
          `${plural(layout.entries.length, 'entry', 'entries')}, ${humanSize(payloadSize(layout))} unpacked, ${read.codec}`,
        ],
      ]),
      ...section('description', layout.description === '' ? [] : layout.description.split('\n')),
      ...RELATION_KINDS.flatMap((kind) => section(kind, layout.relations[kind].map(formatRelation))),
      ...Object.entries(layout.scripts).flatMap(([name, script]) =>
        section(`${name} (${script.interpreter})`, script.body.trimEnd().split('\n')),
      ),
      ...section('entries', layout.entries.map(entryLine)),
      ...section(
        'verified digests',
        read.digests.map(({ of, algorithm, value }) => `${algorithm.padEnd(7)} ${value}  ${of}`),
      ),
      ...section(
        'changelog',
        layout.changelog
          .slice(0, 3)
          .flatMap((entry) => [
            `${entry.version}  ${utc(entry.date)}  ${entry.author}`,
            ...entry.changes.map((change) => `- ${change}`),
          ]),
      ),
      ...section(
        'metadata as in the file',
        read.metadata.map(([name, value]) => `${name}: ${shorten(value)}`),
      ),
    ].join('\n'),
  );
}

/** The output of `kubeparcel inspect --json`. Contents are represented by digest and size. */
export function packageAsJson(file: string, read: ReadPackage): unknown {
  return { file, ...read, metadata: Object.fromEntries(read.metadata) };
}

/** The output of `kubeparcel diff`: `-` marks the first package, `+` the second. */
export function renderDifferences(differences: readonly Difference[]): string {
  return forTerminal(
    differences
      .map(({ what, left, right }) =>
        [
          what,
          ...(left === undefined ? [] : [prefixed('- ', left)]),
          ...(right === undefined ? [] : [prefixed('+ ', right)]),
        ].join('\n'),
      )
      .join('\n'),
  );
}

/** Escapes control characters, which a hostile package could use to control the terminal, as \x1b. */
function forTerminal(text: string): string {
  return text.replace(/[^\P{Cc}\n\t]/gu, (control) => `\\x${control.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

function fields(rows: readonly (readonly [string, string])[]): string[] {
  return rows.filter(([, value]) => value !== '').map(([name, value]) => `  ${name.padEnd(13)} ${value}`);
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', `${title}:`, ...lines.map((line) => `  ${line}`.trimEnd())];
}

function prefixed(mark: string, text: string): string {
  return text.replace(/^/gm, `  ${mark}`);
}

const TYPE_LETTERS = { file: '-', directory: 'd', symlink: 'l' } as const;

function entryLine(entry: Entry): string {
  const size = entry.kind === 'file' ? String(contentSize(entry.content)) : '';
  const owner = `${entry.owner}:${entry.group}`;
  const name = entry.kind === 'symlink' ? `${entry.path} -> ${entry.target}` : entry.path;
  const role = entry.role === 'plain' ? '' : `  (${entry.role})`;
  return `${TYPE_LETTERS[entry.kind]}${rwx(entry.mode)} ${owner} ${size.padStart(10)} ${name}${role}`;
}

/** rwxr-xr-x, with s for set-id bits and t for the sticky bit. */
function rwx(mode: number): string {
  const letters = [...'rwxrwxrwx'].map((letter, bit) => ((mode >> (8 - bit)) & 1 ? letter : '-'));
  const special: [bit: number, place: number, letter: string][] = [
    [0o4000, 2, 's'],
    [0o2000, 5, 's'],
    [0o1000, 8, 't'],
  ];
  for (const [bit, place, letter] of special) {
    if (mode & bit) letters[place] = letters[place] === 'x' ? letter : letter.toUpperCase();
  }
  return letters.join('');
}

function utc(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
}

function shorten(value: string): string {
  const line = value.replaceAll('\n', ' / ');
  return line.length <= 200 ? line : `${line.slice(0, 197)}...`;
}
