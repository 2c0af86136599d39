import { KubeparcelError } from './errors.ts';

/** Wraps an operating system error in a KubeparcelError; returns other errors unchanged. */
export function storeFailure(directory: string, error: unknown): unknown {
  if (!(error instanceof Error) || !('syscall' in error) || !('code' in error)) {
    return error;
  }
  const full = error.code === 'ENOSPC' || error.code === 'EDQUOT';
  return new KubeparcelError('io', `cannot use the content store: ${error.message}`, {
    where: directory,
    hint: full ? 'free some space on the disk' : 'set XDG_CACHE_HOME to a writable directory',
    cause: error,
  });
}
