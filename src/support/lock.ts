import { link, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { KubeparcelError } from './errors.ts';
import { isErrno } from './file-system.ts';
import { isAbandoned, ownedSuffix, ownerState } from './ownership.ts';

/** All times are in milliseconds. An owner touches its lock regularly, so an older lock of another machine is stale. */
const STALE_AFTER = 60_000;
const TOUCH_EVERY = 10_000;
const RETRY_AFTER = 20;
const GIVE_UP_AFTER = 10 * 60_000;

/**
 * Runs `work` while holding a lock, which excludes all processes on this machine and on others that share the directory.
 * The lock is a file that names its owner. Only one process can create it, on every file system; flock(2) does not work
 * on all of them.
 *
 * @param path the lock file, in an existing directory
 * @param what what the lock protects, for the error: `the repository`
 * @throws KubeparcelError of kind 'io' if another process holds the lock for ten minutes
 */
export async function withLock<T>(path: string, what: string, work: () => Promise<T>): Promise<T> {
  const own = ownedSuffix();
  const since = Date.now();
  while (!(await create(path, own))) {
    if (Date.now() - since > GIVE_UP_AFTER) {
      throw new KubeparcelError('io', `another kubeparcel process is still using ${what}`, {
        where: path,
        hint: 'wait until it ends; if there is no such process, remove the lock file',
      });
    }
    await removeStale(path, own);
    await sleep(RETRY_AFTER);
  }
  const touching = setInterval(() => touch(path, own).catch(() => undefined), TOUCH_EVERY);
  touching.unref();
  try {
    await removeLeftovers(path);
    return await work();
  } finally {
    clearInterval(touching);
    // If this process was suspended, another machine may have taken over the lock.
    if ((await read(path)) === own) await rm(path, { force: true });
  }
}

/** Updates the mtime by writing, so that a file server sets it from its own clock. */
async function touch(path: string, own: string): Promise<void> {
  const file = await open(path, 'r+');
  try {
    if ((await file.readFile('utf8')) === own) await file.write(own, 0);
  } finally {
    await file.close();
  }
}

/**
 * Links a complete file to the name of the lock, so that a process that is killed on the way never leaves an empty lock.
 * File systems without hard links get the lock by exclusive creation.
 */
async function create(path: string, own: string): Promise<boolean> {
  const complete = `${path}${own}`;
  try {
    await writeFile(complete, own, { flag: 'wx' });
    await link(complete, path);
    return true;
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return false;
    // Earlier versions remove the files next to the lock of a repository.
    if (isErrno(error, 'ENOENT') && error.syscall === 'link') return false;
    if (!NO_HARD_LINKS.some((code) => isErrno(error, code))) throw error;
    return await createExclusively(path, own);
  } finally {
    await rm(complete, { force: true });
  }
}

const NO_HARD_LINKS = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'];

async function createExclusively(path: string, own: string): Promise<boolean> {
  try {
    await writeFile(path, own, { flag: 'wx' });
    return true;
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return false;
    throw error;
  }
}

/** Removes files next to the lock that killed processes left: incomplete locks and claims. */
async function removeLeftovers(path: string): Promise<void> {
  for (const name of await readdir(dirname(path))) {
    if (!name.startsWith(`${basename(path)}.`)) continue;
    const file = join(dirname(path), name);
    const owner = name.includes('.claim-') ? ((await read(file)) ?? '') : name;
    if (isAbandoned(owner)) await rm(file, { force: true });
  }
}

/**
 * Removes a stale lock. Only the process that holds the claim for this owner may remove it. Otherwise, a slow process that
 * still sees the old owner could remove the lock of the next owner. A claim is itself a lock file.
 */
async function removeStale(path: string, own: string): Promise<void> {
  const owner = await staleOwner(path, Date.now());
  if (owner === undefined) return;
  const claim = `${path}.claim-${owner.slice(-12)}`;
  if (!(await create(claim, own))) return removeStale(claim, own);
  try {
    // The mtime of the claim is the time of the file server; the clock of this machine may differ.
    const { mtimeMs: now } = await stat(claim);
    if ((await staleOwner(path, now)) === owner) await rm(path, { force: true });
  } finally {
    await rm(claim, { force: true });
  }
}

/** The content of a lock without a running owner; undefined if there is no such lock. */
async function staleOwner(path: string, now: number): Promise<string | undefined> {
  const owner = await read(path);
  const state = ownerState(owner ?? '');
  if (owner === undefined || state === 'running') return undefined;
  if (state === 'gone') return owner;
  // The owner is on another machine, or it was killed before it wrote an exclusively created file, which is then empty.
  const lock = await stat(path).catch(ifMissing);
  return lock !== undefined && now - lock.mtimeMs > STALE_AFTER ? owner : undefined;
}

async function read(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(ifMissing);
}

function ifMissing(error: unknown): undefined {
  if (!isErrno(error, 'ENOENT')) throw error;
}
