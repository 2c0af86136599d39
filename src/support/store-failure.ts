import { KubeparcelError } from './errors.ts';

/** The operating system's errors as ones for a person; all others stay what they are. */
export function storeFailure(directory: string, error: unknown): unknown {
  if (!(error instanceof Error) || !('syscall' in error) || !('code' in error)) {
    return error;
  }
  const full = error.code === 'ENOSPC' || error.code === 'EDQUOT';
  return new KubeparcelError('io', `the content store cannot be used: ${error.message}`, {
    where: directory,
    hint: full ? 'make room on the disk' : 'set XDG_CACHE_HOME to a directory that you may write to',
    cause: error,
  });
}

/**
 * Objects carry this time (2000-01-01) as their mtime; another one says that somebody wrote to the file since, and its
 * bytes are hashed again before they are believed.
 */
export const SEALED = 946_684_800;
