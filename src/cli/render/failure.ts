import { EXIT_STATUS, KubeparcelError } from '../../support/errors.ts';

export interface RenderedFailure {
  readonly text: string;
  readonly exitStatus: number;
}

/** What a person reads when a command fails, and the status that the command ends with. */
export function renderFailure(error: unknown): RenderedFailure {
  if (error instanceof KubeparcelError) {
    return { text: describe(error.message, error.where, error.hint), exitStatus: EXIT_STATUS[error.kind] };
  }
  if (isSystemError(error)) {
    return {
      text: describe(
        `${SYSTEM_FAULTS[error.code] ?? error.message}${error.syscall === undefined ? '' : ` (${error.syscall})`}`,
        error.path,
        SYSTEM_ADVICE[error.code],
      ),
      exitStatus: EXIT_STATUS.io,
    };
  }
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return {
    text: `kubeparcel: this is a fault of kubeparcel itself; please report it with what follows\n${detail}`,
    exitStatus: 1,
  };
}

function describe(what: string, where: string | undefined, hint: string | undefined): string {
  return [
    `kubeparcel: ${what}`,
    ...(where === undefined ? [] : [`  where:  ${where}`]),
    ...(hint === undefined ? [] : [`  hint:   ${hint}`]),
  ].join('\n');
}

const SYSTEM_FAULTS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no space left on the device',
  EDQUOT: 'the disk quota is used up',
  ENOENT: 'no such file or directory',
  EISDIR: 'this is a directory, a file was wanted',
  ENOTDIR: 'this is no directory',
  EEXIST: 'there is something else here already',
  EFBIG: 'the file would be larger than is allowed here',
  EMFILE: 'too many open files',
};

const SYSTEM_ADVICE: Readonly<Record<string, string>> = {
  EACCES: 'choose a place that you may write to, or see to the permissions of this one',
  EPERM: 'choose a place that you may write to, or see to the permissions of this one',
  EROFS: 'choose a place that can be written to',
  ENOSPC: 'make room on this disk, or choose a place on another one',
  EDQUOT: 'make room, or choose a place on another disk',
  EEXIST: 'remove it, or choose another name',
  EISDIR: 'remove it, or name a file',
  ENOTDIR: 'remove what is no directory on the way to it, or choose another place',
  EMFILE: 'allow more open files (ulimit -n), or ask for fewer jobs',
};

interface SystemError extends Error {
  readonly code: string;
  readonly path?: string;
  readonly syscall?: string;
}

function isSystemError(error: unknown): error is SystemError {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && 'syscall' in error;
}
