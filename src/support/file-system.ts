import type { Stats } from 'node:fs';
import { lstat, open, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Whether an error is a system error with this code, for example ENOENT. */
export function isErrno(error: unknown, code: string): error is NodeJS.ErrnoException {
  return error instanceof Error && 'code' in error && error.code === code;
}

/** Flushes a directory to disk, so that a rename in it survives a power failure. */
export async function syncDirectory(directory: string): Promise<void> {
  await sync(directory, 'r');
}

/** Flushes a file to disk. */
export async function syncFile(path: string): Promise<void> {
  await sync(path, 'r+');
}

async function sync(path: string, flags: string): Promise<void> {
  const handle = await open(path, flags);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Like lstat(2); undefined if the path does not exist. */
export async function lstatIfExists(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    if (isErrno(error, 'ENOENT') || isErrno(error, 'ENOTDIR')) return undefined;
    throw error;
  }
}

/** Removes a directory and its parents below the root, as long as they are empty. Paths are relative to the root. */
export async function removeEmptyDirectories(root: string, start: string): Promise<void> {
  for (let directory = start; directory !== '.'; directory = dirname(directory)) {
    try {
      await rmdir(join(root, directory));
    } catch {
      return;
    }
  }
}
