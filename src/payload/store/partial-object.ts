import { createHash, type Hash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Digest } from '../../model/digest.ts';
import type { Sink } from '../../release/source.ts';
import { isErrno } from '../../support/file-system.ts';
import { isAbandoned, ownedSuffix } from '../../support/ownership.ts';
import type { StagedObject, StoredObject } from './object.ts';
import { fileAccess, streamRange } from './random-access.ts';

/** The bytes of a transfer so far. One process at a time owns them; exactly one of the last three calls ends it. */
export interface PartialObject extends Omit<Sink, 'resume'> {
  /** The digest of what is here, by the algorithm it was claimed for; once. */
  digest(): string;
  /** All bytes are here. */
  stage(): StagedObject;
  /** Leaves the bytes for a later run. */
  release(): Promise<void>;
  discard(): Promise<void>;
}

type MakeStaged = (file: FileHandle, path: string, object: StoredObject, cleanUp: string) => StagedObject;

const MAX_VALIDATOR = 1024;

/**
 * Takes over what waits for a key, or begins anew. A partial object is a directory of two files, `data` and `validator`,
 * so that one rename moves both: `KEY` waits for somebody, `KEY.TAG.PID.RANDOM` belongs to a process, and renaming
 * the one to the other is won by a single process.
 *
 * @param directory of all partial objects
 */
export async function claimPartial(
  directory: string,
  key: string,
  algorithm: Digest['algorithm'],
  makeStaged: MakeStaged,
): Promise<PartialObject> {
  const waiting = createHash('sha256').update(key).digest('hex');
  const mine = join(directory, `${waiting}${ownedSuffix()}`);
  if (!(await takeOver(directory, waiting, mine))) {
    await mkdir(mine);
  }
  const path = join(mine, 'data');
  const file = await open(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW);
  const hashes = newHashes(algorithm);
  let { size } = await file.stat();
  for await (const chunk of streamRange(fileAccess(file, size), 0, size)) {
    hashes.update(chunk);
  }
  let validator = size === 0 ? undefined : await readValidator(mine);
  let sha256: string | undefined;
  return {
    get size() {
      return size;
    },
    get validator() {
      return validator;
    },
    async restart(next) {
      await file.truncate(0);
      size = 0;
      hashes.reset();
      validator = next !== undefined && next.length <= MAX_VALIDATOR ? next : undefined;
      await writeFile(join(mine, 'validator'), validator ?? '');
    },
    async append(chunk) {
      for (let written = 0; written < chunk.length; ) {
        const { bytesWritten } = await file.write(chunk, written, chunk.length - written, size + written);
        written += bytesWritten;
      }
      hashes.update(chunk);
      size += chunk.length;
    },
    digest() {
      const digests = hashes.digests();
      sha256 = digests.sha256;
      return digests[algorithm] ?? '';
    },
    stage() {
      sha256 ??= hashes.digests().sha256;
      return makeStaged(file, path, { sha256, size }, mine);
    },
    async release() {
      await file.close();
      if (size === 0) {
        await rm(mine, { recursive: true, force: true });
        return;
      }
      try {
        await rename(mine, join(directory, waiting));
      } catch (error) {
        // Somebody else has left theirs.
        if (!isErrno(error, 'ENOTEMPTY') && !isErrno(error, 'EEXIST')) throw error;
        await rm(mine, { recursive: true, force: true });
      }
    },
    async discard() {
      await file.close();
      await rm(mine, { recursive: true, force: true });
    },
  };
}

async function takeOver(directory: string, waiting: string, mine: string): Promise<boolean> {
  const orphans = (await readdir(directory))
    .filter((name) => name.startsWith(`${waiting}.`) && isAbandoned(name))
    .sort();
  for (const name of [waiting, ...orphans]) {
    try {
      await rename(join(directory, name), mine);
      return true;
    } catch (error) {
      if (!isErrno(error, 'ENOENT')) throw error;
    }
  }
  return false;
}

async function readValidator(directory: string): Promise<string | undefined> {
  try {
    const text = await readFile(join(directory, 'validator'), 'utf8');
    return /^[\x20-\x7e]{1,1024}$/.test(text) ? text : undefined;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

interface Hashes {
  update(chunk: Uint8Array): void;
  reset(): void;
  digests(): { readonly sha256: string; readonly sha512?: string };
}

function newHashes(algorithm: Digest['algorithm']): Hashes {
  const begin = (): { sha256: Hash; sha512: Hash | undefined } => ({
    sha256: createHash('sha256'),
    sha512: algorithm === 'sha512' ? createHash('sha512') : undefined,
  });
  let hashes = begin();
  return {
    update(chunk) {
      hashes.sha256.update(chunk);
      hashes.sha512?.update(chunk);
    },
    reset() {
      hashes = begin();
    },
    digests: () => ({
      sha256: hashes.sha256.digest('hex'),
      ...(hashes.sha512 === undefined ? {} : { sha512: hashes.sha512.digest('hex') }),
    }),
  };
}
