import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { GetObjectCommand, HeadObjectCommand } from '@aws-sdk/client-s3';
import { abortOn, type S3Location, S3Storage, withS3Failure } from '../storage/s3-storage.ts';
import { type FileFacts, type RepositoryReader, tooLarge } from './reader.ts';

/** Attempts per object if the connection breaks during the transfer; the SDK retries only before the first byte. */
const ATTEMPTS = 3;

/** Processes a chunk; returns false to stop reading. */
type ChunkConsumer = (chunk: Uint8Array) => boolean;

/** Reads from S3-compatible storage with the same credentials as publishing. */
export class S3Reader implements RepositoryReader {
  readonly name: string;
  readonly #storage: S3Storage;
  readonly #signal: AbortSignal | undefined;

  constructor(location: S3Location, signal?: AbortSignal) {
    this.#storage = new S3Storage(location);
    this.#signal = signal;
    this.name = this.#storage.name;
  }

  async read(path: string, max: number): Promise<Buffer | undefined> {
    let chunks: Uint8Array[] = [];
    const size = await this.#get(path, () => {
      chunks = [];
      let received = 0;
      return (chunk) => {
        received += chunk.length;
        chunks.push(chunk);
        return received <= max;
      };
    });
    if (size === undefined) return undefined;
    if (size > max) throw tooLarge(path, max);
    return Buffer.concat(chunks);
  }

  async examine(path: string, size: number, quick: boolean): Promise<FileFacts | undefined> {
    if (quick) return this.#head(path);
    let hash = createHash('sha256');
    const found = await this.#get(path, () => {
      hash = createHash('sha256');
      let received = 0;
      return (chunk) => {
        received += chunk.length;
        hash.update(chunk);
        return received <= size;
      };
    });
    if (found === undefined) return undefined;
    return { size: found, sha256: found === size ? hash.digest('hex') : undefined };
  }

  async list(): Promise<ReadonlyMap<string, number>> {
    const files = await withS3Failure(this.name, () => this.#storage.list(this.#signal));
    return new Map(files.map(({ path, size }) => [path, size]));
  }

  async close(): Promise<void> {
    this.#storage.client.destroy();
  }

  /**
   * Passes an object to a consumer.
   *
   * @param begin returns the consumer for an attempt
   * @returns number of bytes read; undefined if the object does not exist
   */
  #get(path: string, begin: () => ChunkConsumer): Promise<number | undefined> {
    const { client, bucket } = this.#storage;
    const command = new GetObjectCommand({ Bucket: bucket, Key: this.#storage.keyOf(path) });
    return withS3Failure(`${this.name}/${path}`, async () => {
      for (let attempt = 1; ; attempt++) {
        const consume = begin();
        let started = false;
        try {
          const { Body: body } = await client.send(command, abortOn(this.#signal));
          if (!(body instanceof Readable)) return 0;
          started = true;
          let size = 0;
          for await (const chunk of body as AsyncIterable<Uint8Array>) {
            this.#signal?.throwIfAborted();
            size += chunk.length;
            if (!consume(chunk)) break;
          }
          return size;
        } catch (error) {
          if (isMissing(error)) return undefined;
          if (!started || attempt === ATTEMPTS || this.#signal?.aborted === true) throw error;
        }
      }
    });
  }

  #head(path: string): Promise<FileFacts | undefined> {
    const { client, bucket } = this.#storage;
    const command = new HeadObjectCommand({ Bucket: bucket, Key: this.#storage.keyOf(path) });
    return withS3Failure(`${this.name}/${path}`, async () => {
      try {
        const head = await client.send(command, abortOn(this.#signal));
        return { size: head.ContentLength ?? 0, sha256: undefined };
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
      }
    });
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && ['NoSuchKey', 'NotFound'].includes(error.name);
}
