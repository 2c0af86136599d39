import type { Dirent, Stats } from 'node:fs';
import { lstat, readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Key } from 'openpgp';
import pLimit from 'p-limit';
import { readCertificates } from '../sign/certificate.ts';
import { KubeparcelError } from '../support/errors.ts';
import { isErrno } from '../support/file-system.ts';
import { verifyAptView } from './apt/verify-view.ts';
import { digestFile } from './digest-package.ts';
import { indexText } from './index-file.ts';
import {
  type Finding,
  INDEX_FILE,
  poolPath,
  publicKeyPath,
  type RepositoryPackage,
  type RepositoryState,
  STATE_FOLDER,
  type VerifyReport,
  type ViewState,
  viewFolder,
} from './repository.ts';
import { verifyRpmView } from './rpm-md/verify-view.ts';
import { hasJournal, recover } from './store/journal.ts';
import { openState } from './store/state.ts';
import { withWriterLock } from './store/writer-lock.ts';
import { hasOwnLinks, linkPath, packagesOf, viewsOf } from './view-packages.ts';

export interface VerifyOptions {
  /** Compare the sizes of packages in place of their digests; indices and signatures are checked all the same. */
  readonly quick?: boolean;
  /** Public keys that must have signed; the repository's own by default, which proves that nothing is damaged, not who made it. */
  readonly keys?: Uint8Array | string;
  readonly signal?: AbortSignal;
}

/** What the check of one view finds, and looked at. */
export interface ViewReport {
  readonly findings: readonly Finding[];
  /** Count of files. */
  readonly files: number;
  /** Fingerprints of keys whose signatures hold. */
  readonly keys: readonly string[];
}

/** The folders in which nothing may be that nothing names. */
const OWN_FOLDERS = ['pool', 'core:', 'dists', 'rpm'];
const READ_AT_ONCE = 4;

/**
 * Proves that a repository is whole: as clients do, from each view's pointer over its signature and its indices to every
 * package, and as its owner does, that there is what the state says and nothing else. What a killed run had decided is
 * finished first.
 *
 * @throws KubeparcelError of kind 'usage' for a folder that is no repository
 */
export async function verifyRepository(folder: string, options: VerifyOptions = {}): Promise<VerifyReport> {
  const check = async () => verifyState(folder, await openState(folder), options);
  await openState(folder);
  try {
    return await withWriterLock(join(folder, STATE_FOLDER), async () => {
      await recover(folder);
      return check();
    });
  } catch (error) {
    // A copy that may be read only.
    const readOnly = ['EACCES', 'EROFS', 'EPERM'].some((code) => isErrno(error, code));
    if (readOnly && !(await hasJournal(folder))) return check();
    throw error;
  }
}

async function verifyState(folder: string, state: RepositoryState, options: VerifyOptions): Promise<VerifyReport> {
  const findings: Finding[] = await verifyPackages(folder, state.packages, options);
  let files = state.packages.length;
  const keys = new Set<string>();
  const stated = new Set(state.views.map(viewFolder));
  for (const view of viewsOf(state.packages)) {
    if (!stated.has(viewFolder(view))) {
      findings.push({ kind: 'missing', path: viewFolder(view), what: 'the state has no indices of it' });
    }
  }
  for (const view of state.views) {
    options.signal?.throwIfAborted();
    const listed = packagesOf(view, state.packages);
    findings.push(...(await verifyLinks(folder, view, listed)));
    const certificates = await certificatesOf(folder, view, options.keys, findings);
    const check = view.format === 'deb' ? verifyAptView : verifyRpmView;
    const report = await check(folder, view, listed, certificates);
    findings.push(...report.findings);
    files += report.files;
    for (const key of report.keys) keys.add(key);
  }
  const index = await readFile(join(folder, INDEX_FILE), 'utf8').catch(() => undefined);
  if (index !== indexText(state)) {
    const what = index === undefined ? 'it is not there' : 'it says something else than the state';
    findings.push({ kind: index === undefined ? 'missing' : 'index', path: INDEX_FILE, what });
  }
  findings.push(...(await findLeftOvers(folder, state)));
  findings.sort((a, b) => (a.path === b.path ? (a.what < b.what ? -1 : 1) : a.path < b.path ? -1 : 1));
  const unique = findings.filter(
    (each, at) => each.path !== findings[at - 1]?.path || each.what !== findings[at - 1]?.what,
  );
  return {
    findings: unique,
    packages: state.packages.length,
    views: state.views.length,
    files,
    keys: [...keys].sort(),
  };
}

/** Whether packages of the pool are as they were added. */
export async function verifyPackages(
  folder: string,
  packages: readonly RepositoryPackage[],
  options: Pick<VerifyOptions, 'quick' | 'signal'> = {},
): Promise<Finding[]> {
  const limit = pLimit(READ_AT_ONCE);
  const found = await Promise.all(
    packages.map((each) =>
      limit(async (): Promise<Finding[]> => {
        options.signal?.throwIfAborted();
        const path = poolPath(each);
        const facts = await fileFacts(join(folder, path));
        if (facts === undefined) return [{ kind: 'missing', path, what: 'the package is not there' }];
        if (!facts.isFile()) return [{ kind: 'changed', path, what: 'the package is no file' }];
        if (facts.size !== each.size) return [{ kind: 'changed', path, what: 'the package has another size' }];
        if (options.quick !== true && (await digestFile(join(folder, path))) !== each.sha256) {
          return [{ kind: 'changed', path, what: 'the package has another digest' }];
        }
        return [];
      }),
    ),
  );
  return found.flat();
}

/** A view's packages are the pool's: the same file, or else one with the same content. */
async function verifyLinks(folder: string, view: ViewState, listed: readonly RepositoryPackage[]): Promise<Finding[]> {
  if (!hasOwnLinks(view)) return [];
  const findings: Finding[] = [];
  for (const each of listed) {
    const path = `${viewFolder(view)}/${linkPath(each)}`;
    const [own, pool] = [await fileFacts(join(folder, path)), await fileFacts(join(folder, poolPath(each)))];
    if (own === undefined) findings.push({ kind: 'missing', path, what: 'the package is not there' });
    else if (!own.isFile()) findings.push({ kind: 'changed', path, what: 'the package is no file' });
    else if (own.ino === pool?.ino && own.dev === pool.dev) continue;
    else if (own.size !== each.size || (await digestFile(join(folder, path))) !== each.sha256) {
      findings.push({ kind: 'changed', path, what: 'the package has another digest' });
    } else findings.push({ kind: 'link', path, what: 'a second copy of the package, not a hard link to the pool' });
  }
  return findings;
}

/** The keys to check a view with; none, with a finding, when there are none to be had. */
async function certificatesOf(
  folder: string,
  view: ViewState,
  given: VerifyOptions['keys'],
  findings: Finding[],
): Promise<Key[] | undefined> {
  if (given !== undefined) return readCertificates(given, 'the keys given');
  if (view.signedBy.length === 0) return undefined;
  const path = publicKeyPath(view);
  try {
    return await readCertificates(await readFile(join(folder, path)), path);
  } catch (error) {
    const what = error instanceof KubeparcelError ? error.message : 'the public key is not there';
    findings.push({ kind: 'signature', path, what });
    return [];
  }
}

/** Files in the repository's own folders that neither the state nor an index names. */
async function findLeftOvers(folder: string, state: RepositoryState): Promise<Finding[]> {
  const named = new Set(state.packages.map(poolPath));
  const links = new Map<string, string>();
  for (const view of state.views) {
    const at = viewFolder(view);
    const generation = view.format === 'rpm' ? await readlink(join(folder, at, 'repodata')).catch(() => '') : '';
    if (view.format === 'rpm') links.set(`${at}/repodata`, generation);
    const paths = [...view.files.map(({ path }) => path), ...view.previous.flat()];
    for (const path of paths) named.add(`${at}/${path.replace(/^repodata(?=\/)/, generation || 'repodata')}`);
    if (hasOwnLinks(view)) for (const each of packagesOf(view, state.packages)) named.add(`${at}/${linkPath(each)}`);
  }
  const findings: Finding[] = [];
  for (const top of OWN_FOLDERS) {
    for (const path of await allPaths(folder, top)) {
      if (named.has(path) || links.has(path)) continue;
      findings.push({ kind: 'left-over', path, what: 'nothing names it' });
    }
  }
  return findings;
}

async function allPaths(folder: string, path: string): Promise<string[]> {
  let entries: Dirent[];
  try {
    entries = await readdir(join(folder, path), { withFileTypes: true });
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return [];
    throw error;
  }
  const found: string[] = [];
  for (const entry of entries) {
    const below = `${path}/${entry.name}`;
    if (entry.isDirectory()) found.push(...(await allPaths(folder, below)));
    else found.push(below);
  }
  return found;
}

async function fileFacts(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    if (isErrno(error, 'ENOENT') || isErrno(error, 'ENOTDIR')) return undefined;
    throw error;
  }
}
