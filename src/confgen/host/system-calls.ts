/**
 * What a host is reached through: each one system call, or few. Failures are numbers, never exceptions: -errno (the same
 * numbers on all architectures here), or one of the codes below.
 *
 * Paths are the real ones of the machine; none is followed at its last component.
 */
export interface SystemCalls {
  /** st_mode (stat(2)), or a failure. */
  lstat(path: string): number;
  readlink(path: string): string | number;
  /** Names without `.` and `..` and without those that are no UTF-8, in any order. */
  readdir(path: string): readonly string[] | number;
  /** The text of a regular file of at most `limit` bytes, whatever size stat states. */
  read(path: string, limit: number): string | number;
  /** Makes a file that is not there yet with exactly this mode, and brings it to the disk. 0 or a failure. */
  create(path: string, text: string, mode: number): number;
  rename(from: string, to: string): number;
  unlink(path: string): number;
  /** With mode 0755 whatever the umask. */
  mkdir(path: string): number;
  /** Brings the names in a directory to the disk. */
  syncDirectory(path: string): number;
  /** uname(2)'s nodename. */
  nodeName(): string;
  pid(): number;
}

export const TOO_LARGE = -10001;
/** No UTF-8. */
export const NOT_TEXT = -10002;
/** A pipe, a socket, a device. */
export const NOT_REGULAR = -10003;

export const ENOENT = -2;
export const EEXIST = -17;
export const ENOTDIR = -20;
export const EISDIR = -21;
export const ELOOP = -40;

const WORDS: Readonly<Record<number, string>> = {
  [NOT_TEXT]: 'it is not UTF-8',
  [NOT_REGULAR]: 'it is no file',
  [TOO_LARGE]: 'it is too large',
  [ENOENT]: 'there is no such file',
  [EEXIST]: 'there is something else already',
  [ENOTDIR]: 'a directory on the way is none',
  [EISDIR]: 'it is a directory',
  [ELOOP]: 'too many links',
  [-1]: 'operation not permitted',
  [-5]: 'input/output error',
  [-13]: 'permission denied',
  [-18]: 'it is on another file system',
  [-27]: 'the file would be too large',
  [-28]: 'no space left on the device',
  [-30]: 'the file system is read-only',
  [-36]: 'the name is too long',
  [-122]: 'the disk quota is used up',
};

/** A failure in words, for a finding. */
export function wordsOf(failure: number): string {
  return WORDS[failure] ?? `error ${-failure}`;
}
