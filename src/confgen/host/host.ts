/**
 * All operations of the generator on a host. There are two implementations: for Node, and for the static runner on hosts
 * without Node. The generator runs no programs, opens no sockets and reads no clock.
 *
 * Paths are absolute. An implementation puts its `--root` before them and resolves links inside that root.
 */
export interface Host {
  /**
   * @param limit bytes; a longer file is `too-large`, even if stat reports a smaller size, as in /proc and /sys
   */
  read(path: string, limit?: number): FileRead;
  /** The kind of a file; a link in the last component is not followed. */
  stat(path: string): FileStat;
  /** The target of a symbolic link, unresolved; undefined when it is not a link. */
  readLink(path: string): string | undefined;
  /** The names in a directory, sorted by code unit, without `.` and `..`; undefined when it cannot be listed. */
  list(path: string): readonly string[] | undefined;
  /** The kernel's host name (uname(2)); with `--root`, the name in /etc/hostname. */
  hostName(): string;
  /**
   * Writes a temporary file, syncs and renames it. Creates missing directories with mode 0755. Leaves no partial file.
   *
   * @throws Error with the path and the reason
   */
  write(path: string, text: string, mode: number): void;
  /**
   * Removes a file if it exists.
   *
   * @throws Error with the path and the reason
   */
  remove(path: string): void;
}

/** The result of a read. */
export type FileRead =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'absent' }
  /** No permission, a directory, a device, invalid UTF-8 or an I/O error; the reason is for a finding. */
  | { readonly kind: 'unreadable'; readonly reason: string }
  | { readonly kind: 'too-large'; readonly limit: number };

export type FileStat =
  | { readonly kind: 'absent' }
  | { readonly kind: 'file' | 'directory' | 'symlink' | 'socket' | 'other'; readonly mode: number };

/** Bytes, more than in any valid file. A larger file becomes a finding. */
export const READ_LIMIT = 1 << 20;

/** Standard output and standard error; texts include their newlines. */
export interface Output {
  out(text: string): void;
  err(text: string): void;
}
