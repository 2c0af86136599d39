import { open } from 'node:fs/promises';

/** Whether an error is the operating system's of this code: ENOENT. */
export function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

/** Brings a directory's names to the disk: a rename in it outlasts a power cut then. */
export async function syncDirectory(directory: string): Promise<void> {
  await sync(directory, 'r');
}

/** Brings to the disk what was written into the file, by whomever. */
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
