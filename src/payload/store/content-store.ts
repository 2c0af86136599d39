import { createHash } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, rm, stat, utimes } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import type { ObjectReader } from '../../model/content.ts';
import { algorithmOf, type PublishedDigest } from '../../model/digest.ts';
import { KubeparcelError } from '../../support/errors.ts';
import { isErrno } from '../../support/file-system.ts';
import { isAbandoned, ownedSuffix } from '../../support/ownership.ts';
import { storeFailure } from '../../support/store-failure.ts';
import { objectPath, SEALED, type StagedObject, type StoredObject, stageFile } from './object.ts';
import { PartialObject } from './partial-object.ts';
import { fileAccess, type RandomAccess, streamRange } from './random-access.ts';

type Chunks = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/** An object that is open for random access. */
interface OpenObject extends StoredObject {
  readonly bytes: RandomAccess;
  close(): Promise<void>;
}

/**
 * Objects by the SHA-256 of their bytes, in a directory that any number of processes can use at the same time. An object
 * is created by renaming a complete, synced file: readers see all of it or nothing. Open a store with `openStore`.
 */
export class ContentStore implements Required<ObjectReader> {
  readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
  }

  /**
   * Whether the store has an intact object. Removes an object whose size differs, or that was modified and no longer
   * matches its digest.
   */
  async has(sha256: string, size?: number): Promise<boolean> {
    const path = objectPath(this.directory, sha256);
    let file: FileHandle;
    try {
      file = await open(path, 'r');
    } catch (cause) {
      if (isErrno(cause, 'ENOENT')) return false;
      throw storeFailure(this.directory, cause);
    }
    try {
      const stats = await file.stat();
      let intact = size === undefined || stats.size === size;
      if (intact && stats.mtimeMs !== SEALED * 1000) {
        intact = (await sha256Of(fileAccess(file, stats.size))) === sha256;
        if (intact) await utimes(path, SEALED, SEALED);
      }
      if (!intact) await rm(path, { force: true });
      return intact;
    } catch (cause) {
      throw storeFailure(this.directory, cause);
    } finally {
      await file.close();
    }
  }

  /** @throws KubeparcelError of kind 'io' when there is no such object */
  async read(sha256: string): Promise<OpenObject> {
    const path = objectPath(this.directory, sha256);
    let file: FileHandle;
    try {
      file = await open(path, 'r');
    } catch (cause) {
      throw new KubeparcelError('io', `the content store has no object ${sha256}`, {
        where: path,
        hint: 'run the command again: it fetches what is missing',
        cause,
      });
    }
    const { size } = await file.stat();
    return { sha256, size, bytes: fileAccess(file, size), close: () => file.close() };
  }

  async *open(sha256: string): AsyncGenerator<Uint8Array> {
    const object = await this.read(sha256);
    try {
      yield* streamRange(object.bytes, 0, object.size);
    } finally {
      await object.close();
    }
  }

  async discard(sha256: string): Promise<void> {
    await rm(objectPath(this.directory, sha256), { force: true });
  }

  /** Writes and hashes bytes; `commit` then makes them an object. */
  async stage(chunks: Chunks): Promise<StagedObject> {
    const path = join(this.directory, 'tmp', `object${ownedSuffix()}`);
    let file: FileHandle | undefined;
    try {
      file = await open(path, 'wx+');
      const hash = createHash('sha256');
      let size = 0;
      for await (const chunk of chunks) {
        hash.update(chunk);
        size += chunk.length;
        await file.writeFile(chunk);
      }
      return stageFile(this.directory, file, path, { sha256: hash.digest('hex'), size });
    } catch (cause) {
      await file?.close();
      await rm(path, { force: true });
      throw storeFailure(this.directory, cause);
    }
  }

  /**
   * Adds an object.
   *
   * @throws KubeparcelError of kind 'verification' when the bytes are not the expected ones; they are discarded
   */
  async put(chunks: Chunks, expected: Partial<StoredObject> = {}): Promise<StoredObject> {
    const staged = await this.stage(chunks);
    const { sha256, size } = staged;
    if ((expected.sha256 ?? sha256) !== sha256 || (expected.size ?? size) !== size) {
      await staged.discard();
      throw new KubeparcelError('verification', `the bytes are not those of the object ${expected.sha256 ?? ''}`, {
        where: this.directory,
      });
    }
    await staged.commit();
    return { sha256, size };
  }

  /** Continues an earlier, interrupted transfer of the same artifact, or starts a new one. */
  async claim(url: string, digest: PublishedDigest): Promise<PartialObject> {
    const algorithm = algorithmOf(digest);
    try {
      const name = `${url}\n${algorithm}:${digest.sha256 ?? digest.sha512}`;
      return await PartialObject.claim(this.directory, name, algorithm);
    } catch (cause) {
      throw storeFailure(this.directory, cause);
    }
  }
}

/** `$XDG_CACHE_HOME/kubeparcel`, else `~/.cache/kubeparcel`. Relative values are ignored (XDG specification). */
export function defaultStoreDirectory(environment: Readonly<Record<string, string | undefined>> = process.env): string {
  const cache = environment.XDG_CACHE_HOME ?? '';
  return join(isAbsolute(cache) ? cache : join(environment.HOME || homedir(), '.cache'), 'kubeparcel');
}

/**
 * Opens a content store: creates missing directories and removes files left by killed processes.
 *
 * @throws KubeparcelError of kind 'io'
 */
export async function openStore(directory: string = defaultStoreDirectory()): Promise<ContentStore> {
  try {
    const directories = ['tmp', 'partial', 'index', 'objects'].map((name) => join(directory, name));
    await Promise.all(directories.map((path) => mkdir(path, { recursive: true })));
    await removeStale(directory);
  } catch (cause) {
    throw storeFailure(directory, cause);
  }
  return new ContentStore(directory);
}

const DAY = 86_400_000;
/** Older partial downloads are removed. */
const MAX_PARTIAL_AGE = 14 * DAY;

/** Removes temporary files of killed processes and old partial downloads. */
async function removeStale(directory: string): Promise<void> {
  const now = Date.now();
  const removeIn = async (subdirectory: string, isStale: (name: string, age: number) => boolean, pattern = /^/) => {
    for (const name of (await readdir(join(directory, subdirectory))).filter((each) => pattern.test(each)).sort()) {
      const path = join(directory, subdirectory, name);
      try {
        const { mtimeMs, ctimeMs } = await stat(path);
        // An object that is about to be committed already has the mtime of a sealed one.
        if (isStale(name, now - (mtimeMs === SEALED * 1000 ? ctimeMs : mtimeMs))) {
          await rm(path, { recursive: true, force: true });
        }
      } catch (error) {
        // Another process removed it first.
        if (!isErrno(error, 'ENOENT')) throw error;
      }
    }
  };
  await removeIn('tmp', (name, age) => isAbandoned(name) || age > DAY);
  await removeIn('partial', (_, age) => age > MAX_PARTIAL_AGE);
  // Only temporary files: complete records stay.
  await removeIn('index', (_, age) => age > DAY, /^\./);
}

async function sha256Of(bytes: RandomAccess): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of streamRange(bytes, 0, bytes.size)) hash.update(chunk);
  return hash.digest('hex');
}
