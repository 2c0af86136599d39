/**
 * The operations that a host adapter needs, one or a few system calls each. They do not throw. An error is a negative
 * number: -errno (the same on all supported architectures) or one of the codes below.
 *
 * Paths are real paths on the machine; a link in the last component is not followed.
 */
export interface SystemCalls {
  /** @returns st_mode (stat(2)), or an error */
  lstat(path: string): number;
  readlink(path: string): string | number;
  /** Names in any order, without `.`, `..` and names that are not UTF-8. */
  readdir(path: string): readonly string[] | number;
  /** The text of a regular file of at most `limit` bytes. The size from stat is not used. */
  read(path: string, limit: number): string | number;
  /** Creates a new file with exactly this mode, and syncs it. @returns 0 or an error */
  create(path: string, text: string, mode: number): number;
  rename(from: string, to: string): number;
  unlink(path: string): number;
  /** With mode 0755, regardless of the umask. */
  mkdir(path: string): number;
  /** Syncs the entries of a directory. */
  syncDirectory(path: string): number;
  /** uname(2)'s nodename. */
  nodeName(): string;
  pid(): number;
}

export const TOO_LARGE = -10001;
/** Not UTF-8. */
export const NOT_TEXT = -10002;
/** A pipe, a socket, a device. */
export const NOT_REGULAR = -10003;

export const ENOENT = -2;
export const EEXIST = -17;
export const ENOTDIR = -20;
export const EISDIR = -21;
export const ELOOP = -40;

const MESSAGES: Readonly<Record<number, string>> = {
  [NOT_TEXT]: 'not UTF-8',
  [NOT_REGULAR]: 'not a regular file',
  [TOO_LARGE]: 'too large',
  [ENOENT]: 'no such file',
  [EEXIST]: 'file exists',
  [ENOTDIR]: 'not a directory',
  [EISDIR]: 'is a directory',
  [ELOOP]: 'too many levels of symbolic links',
  [-1]: 'operation not permitted',
  [-5]: 'input/output error',
  [-13]: 'permission denied',
  [-18]: 'cross-device link',
  [-27]: 'file too large',
  [-28]: 'no space left on device',
  [-30]: 'read-only file system',
  [-36]: 'file name too long',
  [-122]: 'disk quota exceeded',
};

/** The message for an error number. */
export function errorMessage(error: number): string {
  return MESSAGES[error] ?? `error ${-error}`;
}
