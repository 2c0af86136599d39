import { type FileHandle, mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { syncDirectory } from '../../support/file-system.ts';
import { storeFailure } from '../../support/store-failure.ts';
import { fileAccess, type RandomAccess } from './random-access.ts';

/**
 * The mtime of all objects in seconds (2000-01-01). An object with another mtime was changed after it was written, so its
 * digest is verified again before use.
 */
export const SEALED = 946_684_800;

/** `sha256`: 64 lower-case hex digits; `size`: bytes. */
export interface StoredObject {
  readonly sha256: string;
  readonly size: number;
}

/** Bytes on the store's disk that are not an object yet, so that they can be examined first. */
export interface StagedObject extends StoredObject {
  readonly bytes: RandomAccess;
  /** Syncs the bytes to disk and makes them visible as an object. */
  commit(): Promise<void>;
  discard(): Promise<void>;
}

/** @throws Error for anything but 64 lower-case hex digits */
export function objectPath(store: string, sha256: string): string {
  if (!/^[0-9a-f]{64}$/.test(sha256)) throw new Error(`not a SHA-256: ${sha256}`);
  return join(store, 'objects', sha256.slice(0, 2), sha256.slice(2));
}

/**
 * Stages an open file.
 *
 * @param store the store's directory
 * @param temporary path to remove at the end; by default the file itself
 */
export function stageFile(
  store: string,
  file: FileHandle,
  path: string,
  object: StoredObject,
  temporary = path,
): StagedObject {
  const clean = () => rm(temporary, { recursive: true, force: true });
  return {
    ...object,
    bytes: fileAccess(file, object.size),
    async commit() {
      try {
        await file.chmod(0o444);
        await file.utimes(SEALED, SEALED);
        await file.sync();
        await file.close();
        const target = objectPath(store, object.sha256);
        await mkdir(dirname(target), { recursive: true });
        await rename(path, target);
        await syncDirectory(dirname(target));
        await clean();
      } catch (cause) {
        throw storeFailure(store, cause);
      }
    },
    async discard() {
      await file.close();
      await clean();
    },
  };
}
