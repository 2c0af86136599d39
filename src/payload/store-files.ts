import { open } from 'node:fs/promises';
import { KubeparcelError } from '../support/errors.ts';

/** Whether an error is the operating system's of this code: ENOENT. */
export function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

/** The operating system's errors as ones for a person; all others stay what they are. */
export function storeFailure(folder: string, error: unknown): unknown {
  if (!(error instanceof Error) || !('syscall' in error) || !('code' in error)) {
    return error;
  }
  const full = error.code === 'ENOSPC' || error.code === 'EDQUOT';
  return new KubeparcelError('io', `the content store cannot be used: ${error.message}`, {
    where: folder,
    todo: full ? 'make room on the disk' : 'set XDG_CACHE_HOME to a folder that you may write to',
    cause: error,
  });
}

export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
