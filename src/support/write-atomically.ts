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
  /** Where the unfinished file is, on the same file system; the file's own directory by default. */
  readonly temporaryDirectory?: string;
  /** Called with the unfinished file's name when all bytes are in it. */
  readonly onWritten?: (temporary: string) => Promise<void>;
  /** False for what may be lost, and is checked where it is read, so that nobody waits for the disk. */
  readonly sync?: false;
}

/**
 * Streams chunks into a file that appears under its name only when all of it is on disk: written beside as
 * `.NAME.RANDOM.tmp`, fsynced, renamed, and the directory fsynced. A killed process leaves the old file or the new one.
 * An error, also one that the source throws, removes the temporary file.
 *
 * @param options.mode permission bits, whatever the umask; 0644 by default
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
 * The same for a file that somebody else writes: `write` gets the name of a file that is not there yet, and resolves when
 * all of it is on disk.
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
    // The system names no file where it cannot write to an open one.
    throw error instanceof Error && 'syscall' in error && !('path' in error) ? Object.assign(error, { path }) : error;
  }
  if (options.sync !== false) await syncDirectory(dirname(path));
  return written;
}
