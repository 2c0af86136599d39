import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DigestAlgorithm } from '../../model/digest.ts';
import type { Sink } from '../../release/source.ts';
import { isErrno } from '../../support/file-system.ts';
import { isAbandoned, ownedSuffix } from '../../support/ownership.ts';
import { type StagedObject, stageFile } from './object.ts';
import { fileAccess, streamRange } from './random-access.ts';

const MAX_VALIDATOR = 1024;

/**
 * The bytes of an unfinished transfer, owned by one process. `stage`, `release` or `discard` ends the ownership.
 *
 * On disk it is a directory with the files `data` and `validator`, so that one rename moves both. `partial/KEY` is free,
 * `partial/KEY.TAG.PID.RANDOM` belongs to a process, which took it by renaming the free one; only one process can do so.
 */
export class PartialObject implements Omit<Sink, 'resume'> {
  readonly #store: string;
  readonly #key: string;
  readonly #directory: string;
  readonly #file: FileHandle;
  readonly #algorithms: readonly DigestAlgorithm[];
  #hashes = new Map<DigestAlgorithm, ReturnType<typeof createHash>>();
  #size = 0;
  #validator: string | undefined;
  #digests: ReadonlyMap<DigestAlgorithm, string> | undefined;

  private constructor(store: string, key: string, directory: string, file: FileHandle, algorithm: DigestAlgorithm) {
    this.#store = store;
    this.#key = key;
    this.#directory = directory;
    this.#file = file;
    this.#algorithms = algorithm === 'sha256' ? ['sha256'] : ['sha256', algorithm];
    this.#resetHashes();
  }

  /**
   * Takes over the bytes that an earlier transfer left, or starts with none.
   *
   * @param store the store's directory
   * @param name identifies the artifact
   * @param algorithm of the digest to compute in addition to SHA-256
   */
  static async claim(store: string, name: string, algorithm: DigestAlgorithm): Promise<PartialObject> {
    const key = createHash('sha256').update(name).digest('hex');
    const partials = join(store, 'partial');
    const directory = join(partials, `${key}${ownedSuffix()}`);
    if (!(await takeOver(partials, key, directory))) await mkdir(directory);
    const file = await open(join(directory, 'data'), constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW);
    const partial = new PartialObject(store, key, directory, file, algorithm);
    const { size } = await file.stat();
    for await (const chunk of streamRange(fileAccess(file, size), 0, size)) partial.#count(chunk);
    if (size > 0) partial.#validator = await readValidator(directory);
    return partial;
  }

  get size(): number {
    return this.#size;
  }

  get validator(): string | undefined {
    return this.#validator;
  }

  async restart(validator?: string): Promise<void> {
    await this.#file.truncate(0);
    this.#size = 0;
    this.#resetHashes();
    this.#validator = validator !== undefined && validator.length <= MAX_VALIDATOR ? validator : undefined;
    await writeFile(join(this.#directory, 'validator'), this.#validator ?? '');
  }

  async append(chunk: Uint8Array): Promise<void> {
    for (let written = 0; written < chunk.length; ) {
      const { bytesWritten } = await this.#file.write(chunk, written, chunk.length - written, this.#size + written);
      written += bytesWritten;
    }
    this.#count(chunk);
  }

  /** The digest of the bytes; nothing can be appended afterwards. */
  digest(algorithm: DigestAlgorithm): string {
    this.#digests ??= new Map([...this.#hashes].map(([name, hash]) => [name, hash.digest('hex')]));
    return this.#digests.get(algorithm) ?? '';
  }

  /** Turns the complete bytes into a staged object. */
  stage(): StagedObject {
    const object = { sha256: this.digest('sha256'), size: this.#size };
    return stageFile(this.#store, this.#file, join(this.#directory, 'data'), object, this.#directory);
  }

  /** Leaves the bytes for a later run. */
  async release(): Promise<void> {
    if (this.#size === 0) return this.discard();
    await this.#file.close();
    try {
      await rename(this.#directory, join(this.#store, 'partial', this.#key));
    } catch (error) {
      // Another process has already released a partial object of this artifact.
      if (!isErrno(error, 'ENOTEMPTY') && !isErrno(error, 'EEXIST')) throw error;
      await rm(this.#directory, { recursive: true, force: true });
    }
  }

  async discard(): Promise<void> {
    await this.#file.close();
    await rm(this.#directory, { recursive: true, force: true });
  }

  #count(chunk: Uint8Array): void {
    for (const hash of this.#hashes.values()) hash.update(chunk);
    this.#size += chunk.length;
  }

  #resetHashes(): void {
    this.#hashes = new Map(this.#algorithms.map((algorithm) => [algorithm, createHash(algorithm)]));
    this.#digests = undefined;
  }
}

async function takeOver(partials: string, key: string, directory: string): Promise<boolean> {
  const abandoned = (await readdir(partials)).filter((name) => name.startsWith(`${key}.`) && isAbandoned(name)).sort();
  for (const name of [key, ...abandoned]) {
    try {
      await rename(join(partials, name), directory);
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
