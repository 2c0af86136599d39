import { open } from 'node:fs/promises';

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
