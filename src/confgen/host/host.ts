/**
 * All that the generator may do to a host. Two adapters implement it: Node's, and the one of the static runner that
 * hosts without Node have. Nothing in this room runs a program, opens a socket or asks a clock.
 *
 * Paths are absolute as the host sees them; an adapter puts its `--root` before them, and follows links inside that
 * root only.
 */
export interface Host {
  /**
   * @param limit bytes; a longer file is `too-large`, whatever stat says of it (/proc and /sys state no sizes)
   */
  read(path: string, limit?: number): FileRead;
  /** What kind of thing stands at a path; the last component is not followed. */
  stat(path: string): FileStat;
  /** Where a symbolic link points, as it is written; undefined when it is none. */
  readLink(path: string): string | undefined;
  /** Names in a directory, sorted by code unit, without `.` and `..`; undefined when it cannot be listed. */
  list(path: string): readonly string[] | undefined;
  /** The kernel's host name (uname(2)); with `--root`, what /etc/hostname in that root says. */
  hostName(): string;
  /**
   * Writes beside, fsyncs, renames; makes missing directories with 0755. Throws an Error that says what failed: nothing
   * half-written is left then.
   */
  write(path: string, text: string, mode: number): void;
  /** Removes a file; one that is not there is no fault. */
  remove(path: string): void;
}

/** What became of a read; `reason` is a short sentence for a finding. */
export type FileRead =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'absent' }
  /** No permission, a directory, a device, invalid UTF-8, an I/O error. */
  | { readonly kind: 'unreadable'; readonly reason: string }
  | { readonly kind: 'too-large'; readonly limit: number };

export type FileStat =
  | { readonly kind: 'absent' }
  | { readonly kind: 'file' | 'directory' | 'symlink' | 'socket' | 'other'; readonly mode: number };

/** No file that the generator reads is near it: a hostile or damaged one is told, not read. */
export const READ_LIMIT = 1 << 20;

/** Where output goes; text comes with its newlines. */
export interface Output {
  out(text: string): void;
  err(text: string): void;
}
