import { readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { KubeparcelError } from './errors.ts';
import { isErrno } from './file-system.ts';
import { ownedSuffix, ownerState } from './ownership.ts';

/** Milliseconds. An owner touches its lock regularly, so an older lock of another machine is stale. */
const STALE_AFTER = 60_000;
const TOUCH_EVERY = 10_000;
const RETRY_AFTER = 20;
const GIVE_UP_AFTER = 10 * 60_000;

/**
 * Runs `work` while no other process holds the same lock, on this machine or another that shares the directory. The lock
 * is a file that names its owner and that only one process can create, which works on every file system; flock(2) does
 * not.
 *
 * @param path the lock file, in an existing directory
 * @param what what the lock protects, for the error: `the repository`
 * @throws KubeparcelError of kind 'io' when another process holds the lock for ten minutes
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
  const touching = setInterval(() => {
    const now = Date.now() / 1000;
    utimes(path, now, now).catch(() => undefined);
  }, TOUCH_EVERY);
  touching.unref();
  try {
    return await work();
  } finally {
    clearInterval(touching);
    await rm(path, { force: true });
  }
}

async function create(path: string, own: string): Promise<boolean> {
  try {
    await writeFile(path, own, { flag: 'wx' });
    return true;
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return false;
    throw error;
  }
}

/**
 * Removes a lock whose owner is gone. Only the process that holds the claim on this one owner may do so: without it, a
 * process that was slow after reading the old owner would remove the lock of the next one. Claims are locks too.
 */
async function removeStale(path: string, own: string): Promise<void> {
  const owner = await staleOwner(path);
  if (owner === undefined) return;
  const claim = `${path}.claim-${owner.slice(-12)}`;
  if (!(await create(claim, own))) return removeStale(claim, own);
  try {
    if ((await staleOwner(path)) === owner) await rm(path, { force: true });
  } finally {
    await rm(claim, { force: true });
  }
}

/** What a lock without a living owner contains; undefined when there is none. */
async function staleOwner(path: string): Promise<string | undefined> {
  try {
    const owner = await readFile(path, 'utf8');
    const state = ownerState(owner);
    if (state === 'running') return undefined;
    // The file of an owner that was killed between creating and writing it is empty.
    return state === 'gone' || Date.now() - (await stat(path)).mtimeMs > STALE_AFTER ? owner : undefined;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}
