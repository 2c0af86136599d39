import { createHash, randomBytes } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { syncDirectory } from './file-system.ts';

export interface WrittenFile {
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** 64 lower-case hex digits. */
  readonly sha256: string;
}

export interface PlaceOptions {
  /** Directory of the temporary file, on the same file system. Default: the directory of the file. */
  readonly temporaryDirectory?: string;
  /** Called with the path of the temporary file when the file is complete. */
  readonly onWritten?: (temporary: string) => Promise<void>;
  /** `false` skips fsync, for files that are verified when they are read. */
  readonly sync?: false;
}

/**
 * Streams chunks into a file atomically: writes `.NAME.RANDOM.tmp` in the same directory, flushes it, renames it and
 * flushes the directory. If the process is killed, either the old file or the new file remains. After any error, including
 * one from `chunks`, the temporary file is removed.
 *
 * @param options.mode permission bits, not affected by the umask; 0644 by default
 */
export async function writeAtomically(
  path: string,
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  options: PlaceOptions & { readonly mode?: number } = {},
): Promise<WrittenFile> {
  const mode = options.mode ?? 0o644;
  const hash = createHash('sha256');
  let size = 0;
  await placeAtomically(path, options, async (temporary) => {
    const file = await open(temporary, 'wx', mode);
    try {
      for await (const chunk of chunks) {
        hash.update(chunk);
        size += chunk.length;
        await file.writeFile(chunk);
      }
      await file.chmod(mode);
      if (options.sync !== false) await file.sync();
    } finally {
      await file.close();
    }
  });
  return { path, size, sha256: hash.digest('hex') };
}

/**
 * Like writeAtomically, but `write` creates the file: it gets the path of the temporary file, and resolves when that file
 * is complete and flushed.
 */
export async function placeAtomically<T>(
  path: string,
  options: PlaceOptions,
  write: (temporary: string) => Promise<T>,
): Promise<T> {
  const temporary = join(
    options.temporaryDirectory ?? dirname(path),
    `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`,
  );
  let written: T;
  try {
    written = await write(temporary);
    await options.onWritten?.(temporary);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    // Report `path`: users do not know the temporary file, and errors from writing to an open file contain no path.
    const isAboutTemporary =
      error instanceof Error && 'syscall' in error && (!('path' in error) || error.path === temporary);
    throw isAboutTemporary ? Object.assign(error, { path }) : error;
  }
  if (options.sync !== false) await syncDirectory(dirname(path));
  return written;
}
