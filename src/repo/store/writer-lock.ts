import { readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { KubeparcelError } from '../../support/errors.ts';
import { isErrno } from '../../support/file-system.ts';
import { isAbandoned, ownedSuffix } from '../../support/ownership.ts';

/** Milliseconds. The owner touches its lock so often that an older one was left by a machine that is gone. */
const STALE_AFTER = 60_000;
const TOUCH_EVERY = 10_000;
const RETRY_AFTER = 20;
const GIVE_UP_AFTER = 10 * 60_000;

/**
 * Runs `work` while no other writer, on this machine or another that shares the folder, does so for the same repository.
 * The lock is a file that names its owner and that only one process can make; that of a killed process is taken away.
 *
 * @throws KubeparcelError of kind 'io' when another writer goes on for ten minutes
 */
export async function withWriterLock<T>(stateFolder: string, work: () => Promise<T>): Promise<T> {
  const path = join(stateFolder, 'lock');
  const own = ownedSuffix();
  const since = Date.now();
  while (!(await take(path, own))) {
    if (Date.now() - since > GIVE_UP_AFTER) {
      throw new KubeparcelError('io', 'another kubeparcel is still at work on the repository', {
        where: path,
        todo: 'wait for it; if no such process is there, remove the lock',
      });
    }
    await removeLeft(path, own);
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

async function take(path: string, own: string): Promise<boolean> {
  try {
    await writeFile(path, own, { flag: 'wx' });
    return true;
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return false;
    throw error;
  }
}

/** A lock that nobody holds any more is moved away first: of two that see it, one gets it. */
async function removeLeft(path: string, own: string): Promise<void> {
  try {
    const owner = await readFile(path, 'utf8');
    const { mtimeMs } = await stat(path);
    // An owner that was killed between making and writing it left an empty one.
    if (!isAbandoned(owner) && Date.now() - mtimeMs < STALE_AFTER) return;
    const aside = `${path}${own}`;
    await rename(path, aside);
    const moved = await readFile(aside, 'utf8');
    if (moved === owner) await rm(aside, { force: true });
    else await rename(aside, path);
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
  }
}
