import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import ejs from 'ejs';
import { type TarEntry, writeTar } from '../../archive/tar.ts';
import { FORMATS, type Format } from '../../model/format.ts';
import { KubeparcelError } from '../../support/errors.ts';
import { withLock } from '../../support/lock.ts';
import { packageRoot } from '../../support/package-root.ts';
import { type WrittenFile, writeAtomically } from '../../support/write-atomically.ts';
import { compareMinors } from '../model/minors.ts';
import {
  type Channel,
  linkPath,
  lockPath,
  packagesOf,
  type RepositoryState,
  type ViewState,
  viewDirectory,
} from '../model/repository.ts';
import { openState } from '../transaction/state.ts';

interface BundleRequest {
  readonly channel: Channel;
  /** All minors of the channel by default. */
  readonly minors: readonly string[] | undefined;
  readonly formats: readonly Format[] | undefined;
  /** As the formats name them. Packages of other architectures are left out, but the signed indices still list them. */
  readonly architectures: readonly string[] | undefined;
  /** Path of the tar archive. */
  readonly out: string;
  readonly signal?: AbortSignal | undefined;
}

export interface BundleResult extends WrittenFile {
  readonly minors: readonly string[];
  /** Number of packages. */
  readonly packages: number;
  readonly fingerprints: readonly string[];
}

interface BundleFile {
  readonly path: string;
  readonly content:
    | { readonly file: string; readonly size: number; readonly sha256: string }
    | { readonly text: string };
  readonly mode: number;
}

/** Top-level directory of the archive. */
const ROOT = 'kubernetes-packages';
const ARCHITECTURE_INDEPENDENT = ['all', 'noarch'];

/**
 * Writes a tar archive for installation without a network: the signed repositories of some minors with their keys,
 * SHA256SUMS, and install.sh. The same repository gives the same bytes.
 *
 * @throws KubeparcelError of kind 'usage' if the repository has no matching packages
 */
export async function writeBundle(directory: string, request: BundleRequest): Promise<BundleResult> {
  await openState(directory);
  return withLock(lockPath(directory), 'the repository', async () => {
    const state = await openState(directory);
    const views = chosenViews(state, request);
    const fingerprints = [...new Set(views.flatMap(({ signedBy }) => signedBy))].sort();
    const minors = [...new Set(views.flatMap(({ minor }) => minor ?? []))].sort(compareMinors);
    const packages = views.flatMap((view) => viewPackages(directory, state, view, request.architectures));
    if (packages.length === 0) throw noPackages(directory, 'no packages of these architectures');
    const files = [...views.flatMap((view) => indexFiles(directory, view)), ...packages];
    const script = await ejs.renderFile(join(packageRoot(), 'templates', 'bundle', 'install.sh.ejs'), {
      minors,
      channel: request.channel,
      formats: [...new Set(views.map(({ format }) => format))].sort(),
      signed: views.every(({ signedBy }) => signedBy.length > 0),
      fingerprints,
    });
    const sums = files
      .map(({ path, content }) => ('sha256' in content ? `${content.sha256}  ${path}\n` : ''))
      .sort()
      .join('');
    files.push({ path: 'install.sh', content: { text: script }, mode: 0o755 });
    files.push({ path: 'SHA256SUMS', content: { text: sums }, mode: 0o644 });
    const date = Math.max(...views.map((view) => view.date));
    const written = await writeAtomically(request.out, writeTar(entriesOf(files, date, request.signal)));
    return { ...written, minors, packages: packages.length, fingerprints };
  });
}

function chosenViews(state: RepositoryState, { channel, minors, formats }: BundleRequest): ViewState[] {
  const requested = minors?.map((minor) => minor.replace(/^v/, ''));
  const views = state.views.filter(
    (view) =>
      view.channel === channel &&
      view.minor !== undefined &&
      (requested === undefined || requested.includes(view.minor)) &&
      (formats ?? FORMATS).includes(view.format),
  );
  const missing = requested?.find((minor) => !views.some((view) => view.minor === minor));
  if (missing !== undefined) throw noPackages(channel, `no packages of Kubernetes ${missing}`);
  if (views.length === 0) throw noPackages(channel, 'no packages');
  return views;
}

function noPackages(where: string, what: string): KubeparcelError {
  return new KubeparcelError('usage', `${what} to bundle`, {
    where,
    hint: 'index.json of the repository lists its packages',
  });
}

function indexFiles(directory: string, view: ViewState): BundleFile[] {
  return view.files.map(({ path, size, sha256 }) => {
    const at = `${viewDirectory(view)}/${path}`;
    return { path: at, content: { file: join(directory, at), size, sha256 }, mode: 0o644 };
  });
}

function viewPackages(
  directory: string,
  state: RepositoryState,
  view: ViewState,
  architectures: readonly string[] | undefined,
): BundleFile[] {
  return packagesOf(view, state.packages)
    .filter(
      ({ architecture }) =>
        architectures === undefined || [...architectures, ...ARCHITECTURE_INDEPENDENT].includes(architecture),
    )
    .map((each) => {
      const at = `${viewDirectory(view)}/${linkPath(each)}`;
      return { path: at, content: { file: join(directory, at), size: each.size, sha256: each.sha256 }, mode: 0o644 };
    });
}

function* entriesOf(files: readonly BundleFile[], mtime: number, signal: AbortSignal | undefined): Generator<TarEntry> {
  const owner = { owner: 'root', group: 'root', mtime };
  const directories = new Set<string>([`${ROOT}/`]);
  for (const { path } of files) {
    for (let at = path.indexOf('/'); at >= 0; at = path.indexOf('/', at + 1)) {
      directories.add(`${ROOT}/${path.slice(0, at)}/`);
    }
  }
  const all = [
    ...[...directories].map((path) => ({ path, file: undefined })),
    ...files.map((file) => ({ path: `${ROOT}/${file.path}`, file })),
  ].sort((a, b) => (a.path < b.path ? -1 : 1));
  for (const { path, file } of all) {
    if (file === undefined) {
      yield { ...owner, kind: 'directory', path, mode: 0o755 };
      continue;
    }
    const { content, mode } = file;
    if ('text' in content) {
      const bytes = Buffer.from(content.text);
      yield { ...owner, kind: 'file', path, mode, size: bytes.length, content: [bytes] };
    } else {
      const { size } = content;
      yield { ...owner, kind: 'file', path, mode, size, content: createReadStream(content.file, { signal }) };
    }
  }
}
