import { EXIT_STATUS, KubeparcelError } from '../../support/errors.ts';

export interface RenderedFailure {
  readonly text: string;
  readonly exitStatus: number;
}

/** The message for a failed command and its exit status. */
export function renderFailure(error: unknown): RenderedFailure {
  if (error instanceof KubeparcelError) {
    return { text: describe(error.message, error.where, error.hint), exitStatus: EXIT_STATUS[error.kind] };
  }
  if (isSystemError(error)) {
    return {
      text: describe(
        `${SYSTEM_MESSAGES[error.code] ?? error.message}${error.syscall === undefined ? '' : ` (${error.syscall})`}`,
        error.path,
        SYSTEM_HINTS[error.code],
      ),
      exitStatus: EXIT_STATUS.io,
    };
  }
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return {
    text: `kubeparcel: this is a bug in kubeparcel; please report it with the following\n${detail}`,
    exitStatus: 1,
  };
}

function describe(what: string, where: string | undefined, hint: string | undefined): string {
  return [
    `kubeparcel: ${what}`,
    ...(where === undefined ? [] : [`  where: ${where}`]),
    ...(hint === undefined ? [] : [`  hint:  ${hint}`]),
  ].join('\n');
}

const SYSTEM_MESSAGES: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  EROFS: 'read-only file system',
  ENOSPC: 'no space left on the device',
  EDQUOT: 'disk quota exceeded',
  ENOENT: 'no such file or directory',
  EISDIR: 'is a directory, not a file',
  ENOTDIR: 'not a directory',
  EEXIST: 'already exists',
  EFBIG: 'file size limit exceeded',
  EMFILE: 'too many open files',
};

const SYSTEM_HINTS: Readonly<Record<string, string>> = {
  ENOENT: 'check the path; to write a new file, create its directory first',
  EACCES: 'change the permissions or choose another directory',
  EPERM: 'change the permissions or choose another directory',
  EROFS: 'choose a directory on a writable file system',
  ENOSPC: 'free some space or choose a directory on another disk',
  EDQUOT: 'free some space or choose a directory on another disk',
  EEXIST: 'remove it or choose another name',
  EISDIR: 'remove it or choose a file',
  ENOTDIR: 'a part of the path is a file: remove it or choose another directory',
  EMFILE: 'raise the limit of open files (ulimit -n) or use fewer jobs',
};

interface SystemError extends Error {
  readonly code: string;
  readonly path?: string;
  readonly syscall?: string;
}

function isSystemError(error: unknown): error is SystemError {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && 'syscall' in error;
}
