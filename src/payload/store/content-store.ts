import { createHash } from 'node:crypto';
import { type FileHandle, mkdir, open, rename, rm, utimes } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import type { ObjectReader } from '../../model/content.ts';
import type { Digest } from '../../model/digest.ts';
import { KubeparcelError } from '../../support/errors.ts';
import { isErrno, syncDirectory } from '../../support/file-system.ts';
import { ownedSuffix } from '../../support/ownership.ts';
import { SEALED, storeFailure } from '../../support/store-failure.ts';
import type { StagedObject, StoredObject } from './object.ts';
import { claimPartial, type PartialObject } from './partial-object.ts';
import { fileAccess, type RandomAccess, streamRange } from './random-access.ts';
import { sweepStore } from './sweep-store.ts';

/** An object opened for reading here and there. */
interface OpenObject extends StoredObject {
  readonly bytes: RandomAccess;
  close(): Promise<void>;
}

/**
 * Objects by the SHA-256 of their bytes, in a directory that any number of processes may use at once: an object appears
 * by renaming a complete, synced file, so it is there as a whole or not at all.
 */
export interface ContentStore extends Required<ObjectReader> {
  readonly directory: string;
  /**
   * Whether an object is there and sound. One that is not (another size; written to since, and other bytes now) is
   * removed.
   */
  has(sha256: string, size?: number): Promise<boolean>;
  /** @throws KubeparcelError of kind 'io' when there is no such object */
  read(sha256: string): Promise<OpenObject>;
  /** Writes and hashes bytes beside the objects. */
  stage(chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<StagedObject>;
  /**
   * Adds an object.
   *
   * @throws KubeparcelError of kind 'verification' when the bytes are not the expected ones; nothing is kept then
   */
  put(
    chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
    expected?: { readonly sha256?: string; readonly size?: number },
  ): Promise<StoredObject>;
  /** Takes over what an earlier, broken transfer of the same artifact left, or begins anew. Never seen as an object. */
  claim(url: string, digest: Digest): Promise<PartialObject>;
}

/** `$XDG_CACHE_HOME/kubeparcel`, else `~/.cache/kubeparcel` (XDG Base Directory Specification: relative values do not count). */
export function defaultStoreDirectory(environment: Readonly<Record<string, string | undefined>> = process.env): string {
  const cache = environment.XDG_CACHE_HOME ?? '';
  return join(isAbsolute(cache) ? cache : join(environment.HOME || homedir(), '.cache'), 'kubeparcel');
}

/**
 * Opens a content store, making its directories where they are missing and removing what killed processes left.
 *
 * @throws KubeparcelError of kind 'io'
 */
export async function openStore(directory: string = defaultStoreDirectory()): Promise<ContentStore> {
  const temporary = join(directory, 'tmp');
  const partials = join(directory, 'partial');
  try {
    const rooms = [temporary, partials, join(directory, 'index'), join(directory, 'objects')];
    await Promise.all(rooms.map((path) => mkdir(path, { recursive: true })));
    await sweepStore(directory);
  } catch (cause) {
    throw storeFailure(directory, cause);
  }
  const pathOf = (sha256: string): string => {
    if (!/^[0-9a-f]{64}$/.test(sha256)) {
      throw new Error(`not a SHA-256: ${sha256}`);
    }
    return join(directory, 'objects', sha256.slice(0, 2), sha256.slice(2));
  };

  const read = async (sha256: string): Promise<OpenObject> => {
    const path = pathOf(sha256);
    let file: FileHandle;
    try {
      file = await open(path, 'r');
    } catch (cause) {
      throw new KubeparcelError('io', `the content store has no object ${sha256}`, {
        where: path,
        hint: 'run the command again, it fetches what is missing',
        cause,
      });
    }
    const { size } = await file.stat();
    return { sha256, size, bytes: fileAccess(file, size), close: () => file.close() };
  };

  const stagedFile = (file: FileHandle, path: string, object: StoredObject, cleanUp?: string): StagedObject => {
    const clean = async () => rm(cleanUp ?? path, { recursive: true, force: true });
    return {
      ...object,
      bytes: fileAccess(file, object.size),
      async commit() {
        try {
          await file.chmod(0o444);
          await file.utimes(SEALED, SEALED);
          await file.sync();
          await file.close();
          const target = pathOf(object.sha256);
          const parent = join(target, '..');
          await mkdir(parent, { recursive: true });
          await rename(path, target);
          await syncDirectory(parent);
          await clean();
        } catch (cause) {
          throw storeFailure(directory, cause);
        }
      },
      async discard() {
        await file.close();
        await clean();
      },
    };
  };

  const stage: ContentStore['stage'] = async (chunks) => {
    const path = join(temporary, `object${ownedSuffix()}`);
    let file: FileHandle;
    try {
      file = await open(path, 'wx+');
    } catch (cause) {
      throw storeFailure(directory, cause);
    }
    try {
      const hash = createHash('sha256');
      let size = 0;
      for await (const chunk of chunks) {
        hash.update(chunk);
        size += chunk.length;
        await file.writeFile(chunk);
      }
      return stagedFile(file, path, { sha256: hash.digest('hex'), size });
    } catch (cause) {
      await file.close();
      await rm(path, { force: true });
      throw storeFailure(directory, cause);
    }
  };

  return {
    directory,
    read,
    stage,
    async *open(sha256) {
      const object = await read(sha256);
      try {
        yield* streamRange(object.bytes, 0, object.size);
      } finally {
        await object.close();
      }
    },
    async discard(sha256) {
      await rm(pathOf(sha256), { force: true });
    },
    async has(sha256, size) {
      const path = pathOf(sha256);
      let file: FileHandle;
      try {
        file = await open(path, 'r');
      } catch (cause) {
        if (isErrno(cause, 'ENOENT')) return false;
        throw storeFailure(directory, cause);
      }
      try {
        const stat = await file.stat();
        let sound = size === undefined || stat.size === size;
        if (sound && stat.mtimeMs !== SEALED * 1000) {
          sound = (await hashOf(fileAccess(file, stat.size))) === sha256;
          if (sound) await utimes(path, SEALED, SEALED);
        }
        if (!sound) await rm(path, { force: true });
        return sound;
      } catch (cause) {
        throw storeFailure(directory, cause);
      } finally {
        await file.close();
      }
    },
    async put(chunks, expected = {}) {
      const staged = await stage(chunks);
      const { sha256, size } = staged;
      if ((expected.sha256 ?? sha256) !== sha256 || (expected.size ?? size) !== size) {
        await staged.discard();
        throw new KubeparcelError('verification', `the bytes are not those of the object ${expected.sha256 ?? ''}`, {
          where: directory,
        });
      }
      await staged.commit();
      return { sha256, size };
    },
    async claim(url, digest) {
      try {
        return await claimPartial(
          partials,
          `${url}\n${digest.algorithm}:${digest.value}`,
          digest.algorithm,
          stagedFile,
        );
      } catch (cause) {
        throw storeFailure(directory, cause);
      }
    },
  };
}

async function hashOf(bytes: RandomAccess): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of streamRange(bytes, 0, bytes.size)) {
    hash.update(chunk);
  }
  return hash.digest('hex');
}
