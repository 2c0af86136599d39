import { basename, join, relative, resolve } from 'node:path';
import type { WrittenLayout } from '../../pipeline/binary-layout.ts';
import { CHECKSUMS_FILE } from '../../pipeline/checksums.ts';
import type { BuiltPackage } from '../../pipeline/events.ts';
import type { Prepared, Settings } from '../../pipeline/prepare.ts';
import type { Lock } from '../../release/lock.ts';
import { plural } from '../../support/plural.ts';
import { shellWords } from '../../support/shell-words.ts';
import { humanSize, table } from './table.ts';

/** The result of `kubeparcel build`. */
export function renderBuilt({ release, settings }: Prepared, built: readonly BuiltPackage[], out: string): string {
  const rows = built.map(({ path, size, sha256 }) => [basename(path), humanSize(size), sha256.slice(0, 16)]);
  return [
    '',
    table(['Package', '>Size', 'SHA-256 (first 16)'], rows),
    '',
    `${plural(built.length, 'package')} of Kubernetes v${release.version} in ${shortPath(out)}/.`,
    verifiedLine(settings),
    `Package digests: ${shortPath(join(out, CHECKSUMS_FILE))}. To show a package: kubeparcel inspect FILE`,
    ...(settings.source === 'sample' ? ['', ...SAMPLE_NOTE] : []),
  ].join('\n');
}

/** What the artifacts were verified against. */
function verifiedLine({ lock, source }: Settings): string {
  if (lock !== undefined) return `All artifacts match ${shortPath(lock)}.`;
  if (source === 'servers' || /^https?:/.test(source)) return 'All artifacts match their published digests.';
  return `All artifacts match the digests in ${source === 'sample' ? 'the sample' : shortPath(source)}.`;
}

const SAMPLE_NOTE = [
  'The sample contains placeholders that print their version, not Kubernetes.',
  'To build a real release:',
  '',
  '  npx kubeparcel build 1.36',
];

/** The result of `kubeparcel build --dry-run`. */
export function renderPlan({ release, tasks, settings }: Prepared): string {
  const isSizeKnown = release.artifacts.every(({ size }) => size !== undefined);
  const total = release.artifacts.reduce((sum, { size }) => sum + (size ?? 0), 0);
  const artifacts = `${plural(release.artifacts.length, 'artifact')}${isSizeKnown ? `, ${humanSize(total)}` : ''}`;
  return [
    `Kubernetes v${release.version} from ${settings.source}`,
    '',
    table(
      ['Artifact', 'Version', 'Arch', 'Digest (first 16)'],
      release.artifacts.map(({ name, version, architecture, sha256, sha512 }) => [
        name,
        version,
        architecture,
        sha256 === undefined ? `sha512:${sha512.slice(0, 16)}` : `sha256:${sha256.slice(0, 16)}`,
      ]),
    ),
    '',
    table(
      ['Package', 'Target', 'Compression'],
      tasks.map(({ file, target, compression: { codec, level } }) => [
        file,
        target.id,
        codec === 'none' ? codec : `${codec}:${level}`,
      ]),
    ),
    '',
    `${plural(tasks.length, 'package')} from ${artifacts}. Nothing was built.`,
  ].join('\n');
}

/** The result of `kubeparcel fetch`. */
export function renderFetched(lock: Lock, files: FetchedFiles, settings: Settings): string {
  const { lock: file, bundle, locked, source } = files;
  const total = lock.artifacts.reduce((sum, { size }) => sum + size, 0);
  const rows = lock.artifacts.map(({ name, version, architecture, size, sha256 }) => [
    name,
    version,
    architecture,
    humanSize(size),
    sha256.slice(0, 16),
  ]);
  return [
    '',
    table(['Artifact', 'Version', 'Arch', '>Size', 'SHA-256 (first 16)'], rows),
    '',
    `${plural(lock.artifacts.length, 'artifact')} of Kubernetes v${lock.version}, ${humanSize(total)}.`,
    verifiedLine(settings),
    ...(locked ? [] : [`Lock: ${file}. To build it: kubeparcel build --locked${lockFlags(file, source)}`]),
    ...(bundle === undefined ? [] : [`Bundle: ${bundle}. To build offline: kubeparcel build --source ${bundle}`]),
  ].join('\n');
}

/** The flags with which `build` finds the same lock and the same source. */
function lockFlags(file: string, source: string | undefined): string {
  return `${file === DEFAULT_LOCK ? '' : ` --lock ${file}`}${source === undefined ? '' : ` --source ${source}`}`;
}

const DEFAULT_LOCK = 'kubeparcel.lock';

interface FetchedFiles {
  readonly source: string | undefined;
  readonly lock: string;
  readonly locked: boolean;
  readonly bundle?: string | undefined;
}

/** The result of `kubeparcel layout`: each directory with the command that builds the package. */
export function renderLayouts(written: readonly WrittenLayout[]): string {
  return written.map(({ directory, command }) => `${shortPath(directory)}\n  ${shellWords(command)}`).join('\n');
}

/** Relative to the current directory if the path is below it. */
function shortPath(path: string): string {
  const short = relative('.', resolve(path));
  return short === '' ? '.' : short.startsWith('..') ? path : short;
}
