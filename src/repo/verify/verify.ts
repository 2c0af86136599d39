import type { Dirent } from 'node:fs';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { isErrno, lstatIfExists } from '../../support/file-system.ts';
import { withLock } from '../../support/lock.ts';
import { INDEX_FILE, indexText } from '../model/index-file.ts';
import {
  hasOwnLinks,
  linkPath,
  lockPath,
  packagesOf,
  poolPath,
  publicKeyPath,
  type RepositoryPackage,
  type RepositoryState,
  type ViewState,
  viewDirectory,
  viewsOf,
} from '../model/repository.ts';
import { openDirectoryReader } from '../read/directory-reader.ts';
import { below, type RepositoryReader } from '../read/reader.ts';
import { digestFile } from '../records/read-record.ts';
import { hasJournal, recover } from '../transaction/journal.ts';
import { openState } from '../transaction/state.ts';
import { checkPackages } from './check-packages.ts';
import { sortedFindings, type VerifyFinding, type VerifyReport } from './finding.ts';
import { verifyAptView } from './verify-apt-view.ts';
import { verifyRpmView } from './verify-rpm-md-view.ts';
import { certificatesFor, comparePackages, type IndexedFile, ViewCheck, type ViewReport } from './view-check.ts';

export interface VerifyOptions {
  /** Compare sizes of packages instead of digests. Indices and signatures are always checked. */
  readonly quick?: boolean | undefined;
  /** Trusted public keys. Default: the repository's own, which proves integrity but not origin. */
  readonly keys?: Uint8Array | string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Directories in which every file must be named by the state. */
const OWN_DIRECTORIES = ['pool', 'core:', 'dists', 'rpm'];

/**
 * Verifies a repository as clients do (from Release or repomd.xml through signatures and indices to every package), and
 * against its state (all files exist, no others do). Completes the committed change of a killed run first.
 *
 * @throws KubeparcelError of kind 'usage' if the directory is not a repository
 */
export async function verifyRepository(directory: string, options: VerifyOptions = {}): Promise<VerifyReport> {
  const check = async () => verifyState(directory, await openState(directory), options);
  await openState(directory);
  try {
    return await withLock(lockPath(directory), 'the repository', async () => {
      await recover(directory);
      return check();
    });
  } catch (error) {
    // A read-only copy needs no lock.
    const readOnly = ['EACCES', 'EROFS', 'EPERM'].some((code) => isErrno(error, code));
    if (readOnly && !(await hasJournal(directory))) return check();
    throw error;
  }
}

async function verifyState(directory: string, state: RepositoryState, options: VerifyOptions): Promise<VerifyReport> {
  const reader = await openDirectoryReader(directory, options.signal);
  const findings: VerifyFinding[] = await checkPackages(reader, state.packages.map(inPool), options);
  let files = state.packages.length;
  const keys = new Set<string>();
  const stated = new Set(state.views.map(viewDirectory));
  for (const view of viewsOf(state.packages)) {
    if (!stated.has(viewDirectory(view))) {
      findings.push({ kind: 'missing', path: viewDirectory(view), what: 'the view has no indices' });
    }
  }
  for (const view of state.views) {
    options.signal?.throwIfAborted();
    const listed = packagesOf(view, state.packages);
    findings.push(...(await verifyLinks(directory, view, listed)));
    const report = await verifyView(reader, view, listed, options);
    findings.push(...report.findings);
    files += report.files;
    for (const key of report.keys) keys.add(key);
  }
  const index = await readFile(join(directory, INDEX_FILE), 'utf8').catch(() => undefined);
  if (index !== indexText(state)) {
    const what = index === undefined ? 'the file does not exist' : 'differs from the state';
    findings.push({ kind: index === undefined ? 'missing' : 'index', path: INDEX_FILE, what });
  }
  findings.push(...(await findLeftOvers(directory, state)));
  return {
    findings: sortedFindings(findings),
    packages: state.packages.length,
    views: state.views.length,
    files,
    keys: [...keys].sort(),
    ownKeys: options.keys === undefined,
  };
}

/** Checks the digests of packages in the pool. */
export async function verifyPackages(
  directory: string,
  packages: readonly RepositoryPackage[],
): Promise<VerifyFinding[]> {
  return checkPackages(await openDirectoryReader(directory), packages.map(inPool));
}

function inPool(each: RepositoryPackage): IndexedFile {
  return { path: poolPath(each), size: each.size, sha256: each.sha256 };
}

/** Checks a view and compares its packages with the state. */
async function verifyView(
  reader: RepositoryReader,
  view: ViewState,
  listed: readonly RepositoryPackage[],
  options: VerifyOptions,
): Promise<ViewReport> {
  const check = new ViewCheck(reader, { published: false });
  const at = viewDirectory(view);
  const isSigned = options.keys !== undefined || view.signedBy.length > 0;
  const certificates = isSigned ? await certificatesFor(check, publicKeyPath(view), options.keys) : undefined;
  const expected = listed.map((each) => ({
    architecture: each.architecture,
    path: hasOwnLinks(view) ? below(at, linkPath(each)) : poolPath(each),
    size: each.size,
    sha256: each.sha256,
  }));
  if (view.format === 'deb') {
    const found = await verifyAptView(check, { at, root: hasOwnLinks(view) ? at : '', certificates, now: Date.now() });
    const named = new Set(found?.indices.map(({ path }) => path));
    for (const { path } of found === undefined ? [] : view.files) {
      if (!/Release(\.gpg|\.key)?$|by-hash/.test(path) && !named.has(below(at, path))) {
        check.fault('index', `${at}/Release`, `does not name ${path}`);
      }
    }
    for (const [index, packages] of found?.lists ?? []) {
      const [, machine] = /binary-([^/]+)\//.exec(index) ?? [];
      const own = expected.filter(
        ({ architecture }) => machine === undefined || architecture === machine || architecture === 'all',
      );
      comparePackages(check, index, packages, own);
    }
  } else {
    const found = await verifyRpmView(check, { at, certificates });
    if (found !== undefined) comparePackages(check, found.index, found.packages, expected);
  }
  return check.report();
}

/** Checks that a view's packages are hard links to the pool or have the same content. */
async function verifyLinks(
  directory: string,
  view: ViewState,
  listed: readonly RepositoryPackage[],
): Promise<VerifyFinding[]> {
  if (!hasOwnLinks(view)) return [];
  const findings: VerifyFinding[] = [];
  for (const each of listed) {
    const path = `${viewDirectory(view)}/${linkPath(each)}`;
    const [own, pool] = [
      await lstatIfExists(join(directory, path)),
      await lstatIfExists(join(directory, poolPath(each))),
    ];
    if (own === undefined) findings.push({ kind: 'missing', path, what: 'the package does not exist' });
    else if (!own.isFile()) findings.push({ kind: 'changed', path, what: 'the package is not a regular file' });
    else if (own.ino === pool?.ino && own.dev === pool.dev) continue;
    else if (own.size !== each.size || (await digestFile(join(directory, path))) !== each.sha256) {
      findings.push({ kind: 'changed', path, what: 'the package has another digest' });
    } else findings.push({ kind: 'link', path, what: 'a second copy of the package, not a hard link to the pool' });
  }
  return findings;
}

/** Files in the repository's directories that the state does not name. */
async function findLeftOvers(directory: string, state: RepositoryState): Promise<VerifyFinding[]> {
  const named = new Set(state.packages.map(poolPath));
  const links = new Map<string, string>();
  for (const view of state.views) {
    const at = viewDirectory(view);
    const generation = view.format === 'rpm' ? await readlink(join(directory, at, 'repodata')).catch(() => '') : '';
    if (view.format === 'rpm') links.set(`${at}/repodata`, generation);
    const paths = [...view.files.map(({ path }) => path), ...view.previous.flat()];
    for (const path of paths) named.add(`${at}/${path.replace(/^repodata(?=\/)/, generation || 'repodata')}`);
    if (hasOwnLinks(view)) for (const each of packagesOf(view, state.packages)) named.add(`${at}/${linkPath(each)}`);
  }
  const findings: VerifyFinding[] = [];
  for (const top of OWN_DIRECTORIES) {
    for (const path of await allPaths(directory, top)) {
      if (named.has(path) || links.has(path)) continue;
      findings.push({ kind: 'left-over', path, what: 'the state does not name this file' });
    }
  }
  return findings;
}

async function allPaths(directory: string, path: string): Promise<string[]> {
  let entries: Dirent[];
  try {
    entries = await readdir(join(directory, path), { withFileTypes: true });
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return [];
    throw error;
  }
  const found: string[] = [];
  for (const entry of entries) {
    const below = `${path}/${entry.name}`;
    if (entry.isDirectory()) found.push(...(await allPaths(directory, below)));
    else found.push(below);
  }
  return found;
}
