import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isErrno } from '../support/file-system.ts';
import { isAbandoned, ownedSuffix } from '../support/ownership.ts';

/** Milliseconds; what the lock is for takes a few, so that an older one was left by a machine that is gone. */
const STALE_AFTER = 60_000;
const RETRY_AFTER = 15;

/**
 * Runs `work` while no other process does so for the same folder. The lock is a file that names its owner and that
 * only one process can make; it works on every file system, which flock(2) does not.
 */
export async function withFolderLock<T>(folder: string, work: () => Promise<T>): Promise<T> {
  const path = join(folder, '.kubeparcel-lock');
  for (;;) {
    try {
      await writeFile(path, ownedSuffix(), { flag: 'wx' });
      break;
    } catch (error) {
      if (!isErrno(error, 'EEXIST')) throw error;
      if (await isLeft(path)) await rm(path, { force: true });
      else await sleep(RETRY_AFTER);
    }
  }
  try {
    return await work();
  } finally {
    await rm(path, { force: true });
  }
}

async function isLeft(path: string): Promise<boolean> {
  try {
    return isAbandoned(await readFile(path, 'utf8')) || Date.now() - (await stat(path)).mtimeMs > STALE_AFTER;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return false;
    throw error;
  }
}
