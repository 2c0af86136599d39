import { basename, join, relative, resolve } from 'node:path';
import type { WrittenLayout } from '../../pipeline/binary-layout.ts';
import { CHECKSUMS_FILE } from '../../pipeline/checksums.ts';
import type { BuiltPackage } from '../../pipeline/events.ts';
import type { Prepared } from '../../pipeline/prepare.ts';
import type { Lock } from '../../release/lock.ts';
import { shellWords } from '../../support/shell-words.ts';
import { humanSize, table } from './table.ts';

/** What `kubeparcel build` says at its end: what was built, where, and what to do with it. */
export function renderBuilt(prepared: Prepared, built: readonly BuiltPackage[], out: string): string {
  const { release, settings } = prepared;
  const sample = settings.source === 'sample';
  const rows = built.map(({ path, size, sha256 }) => [basename(path), humanSize(size), sha256.slice(0, 16)]);
  return [
    '',
    table(['Package', '>Size', 'SHA-256 (first 16)'], rows),
    '',
    `${built.length} packages of Kubernetes v${release.version} in ${shown(out)}/, every artifact verified.`,
    `Whole digests: ${shown(join(out, CHECKSUMS_FILE))}. Look inside: kubeparcel inspect FILE`,
    ...(sample ? ['', ...SAMPLE_NOTE] : []),
  ].join('\n');
}

const SAMPLE_NOTE = [
  'These are sample packages: stand-ins that print their version, not Kubernetes.',
  'For a real release:',
  '',
  '  npx kubeparcel build 1.36',
];

/** What `kubeparcel build --dry-run` says. */
export function renderPlan({ release, tasks, settings }: Prepared): string {
  const known = release.artifacts.every(({ size }) => size !== undefined);
  const total = release.artifacts.reduce((sum, { size }) => sum + (size ?? 0), 0);
  return [
    `Kubernetes v${release.version} from ${settings.source}`,
    '',
    table(
      ['Artifact', 'Version', 'Arch', 'Digest (first 16)'],
      release.artifacts.map(({ name, version, architecture, digest }) => [
        name,
        version,
        architecture,
        `${digest.algorithm}:${digest.value.slice(0, 16)}`,
      ]),
    ),
    '',
    table(
      ['Package', 'For', 'Compression'],
      tasks.map(({ file, target, compression: { codec, level } }) => [
        file,
        target.id,
        codec === 'none' ? codec : `${codec}:${level}`,
      ]),
    ),
    '',
    `${tasks.length} packages of ${release.artifacts.length} artifacts${known ? `, ${humanSize(total)}` : ''}. Nothing was made.`,
  ].join('\n');
}

/** What `kubeparcel fetch` says at its end. */
export function renderFetched(lock: Lock, { lock: file, bundle, locked, source }: FetchedFiles): string {
  const total = lock.artifacts.reduce((sum, { size }) => sum + size, 0);
  const rows = lock.artifacts.map(({ name, version, architecture, size, digest }) => [
    name,
    version,
    architecture,
    humanSize(size),
    digest.value.slice(0, 16),
  ]);
  return [
    '',
    table(['Artifact', 'Version', 'Arch', '>Size', 'SHA-256 (first 16)'], rows),
    '',
    `Kubernetes v${lock.version}: ${lock.artifacts.length} artifacts, ${humanSize(total)}, verified.`,
    locked
      ? `As ${file} states.`
      : `Lock: ${file}. Build exactly this: kubeparcel build --locked${lockFlags(file, source)}`,
    ...(bundle === undefined ? [] : [`Bundle: ${bundle}. Without a network: kubeparcel build --source ${bundle}`]),
  ].join('\n');
}

/** The flags that `build` needs to find the same lock and the same bytes again. */
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

/** What `kubeparcel layout` says at its end: the directories, each with the command that makes the package. */
export function renderLayouts(written: readonly WrittenLayout[]): string {
  return written.map(({ directory, command }) => `${shown(directory)}\n  ${shellWords(command)}`).join('\n');
}

/** A path as short as it can be from here. */
function shown(path: string): string {
  const short = relative('.', resolve(path));
  return short === '' ? '.' : short.startsWith('..') ? path : short;
}
