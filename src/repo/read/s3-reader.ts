import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { GetObjectCommand, HeadObjectCommand } from '@aws-sdk/client-s3';
import { KubeparcelError } from '../../support/errors.ts';
import { aborted, attempt, listObjects, openStorage, type S3Location } from '../storage/s3-storage.ts';
import type { RepositoryReader } from './reader.ts';

/** Tries of one object whose connection breaks in the middle; the SDK tries again before the first byte only. */
const TRIES = 3;

/** S3-compatible storage, with the credentials that publishing to it takes. */
export function s3Reader(location: S3Location, signal?: AbortSignal): RepositoryReader {
  const storage = openStorage(location);
  const { name, client, bucket, keyOf } = storage;

  /** Hands on an object's bytes as they come; its size, undefined when it is not there. `take` may say that it has enough. */
  const get = async (path: string, begin: () => (chunk: Uint8Array) => boolean): Promise<number | undefined> => {
    for (let tries = 1; ; tries++) {
      const take = begin();
      let begun = false;
      try {
        const { Body: body } = await client.send(
          new GetObjectCommand({ Bucket: bucket, Key: keyOf(path) }),
          aborted(signal),
        );
        if (!(body instanceof Readable)) return 0;
        begun = true;
        let size = 0;
        for await (const chunk of body as AsyncIterable<Uint8Array>) {
          signal?.throwIfAborted();
          size += chunk.length;
          if (!take(chunk)) break;
        }
        return size;
      } catch (error) {
        if (isMissing(error)) return undefined;
        if (!begun || tries === TRIES || signal?.aborted === true) throw error;
      }
    }
  };
  return {
    name,
    async read(path, max) {
      let chunks: Uint8Array[] = [];
      let size = 0;
      const begin = () => {
        chunks = [];
        size = 0;
        return (chunk: Uint8Array) => {
          size += chunk.length;
          chunks.push(chunk);
          return size <= max;
        };
      };
      const found = await attempt(`${name}/${path}`, () => get(path, begin));
      if (size > max) throw new KubeparcelError('format', `it has more than ${max} bytes`, { where: path });
      return found === undefined ? undefined : Buffer.concat(chunks);
    },
    async examine(path, size, quick) {
      const where = `${name}/${path}`;
      if (quick) {
        const stated = await attempt(where, () => sizeOf(path));
        return stated === undefined ? undefined : { size: stated, sha256: undefined };
      }
      let hash = createHash('sha256');
      const begin = () => {
        hash = createHash('sha256');
        let seen = 0;
        return (chunk: Uint8Array) => {
          seen += chunk.length;
          hash.update(chunk);
          return seen <= size;
        };
      };
      const found = await attempt(where, () => get(path, begin));
      if (found === undefined) return undefined;
      return { size: found, sha256: found === size ? hash.digest('hex') : undefined };
    },
    list: async () => {
      const files = await attempt(name, () => listObjects(storage, signal));
      return new Map(files.map(({ path, size }) => [path, size]));
    },
    close: () => Promise.resolve(client.destroy()),
  };

  async function sizeOf(path: string): Promise<number | undefined> {
    try {
      const head = await client.send(new HeadObjectCommand({ Bucket: bucket, Key: keyOf(path) }), aborted(signal));
      return head.ContentLength ?? 0;
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && ['NoSuchKey', 'NotFound'].includes(error.name);
}
