import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { FileDigests } from '../model/record.ts';

/** Reads a file once and takes in all of its digests; memory does not grow with it. */
export async function digestPackage(path: string, signal?: AbortSignal): Promise<FileDigests> {
  const [md5, sha1, sha256] = [createHash('md5'), createHash('sha1'), createHash('sha256')];
  let size = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 18 })) {
    signal?.throwIfAborted();
    for (const hash of [md5, sha1, sha256]) hash.update(chunk);
    size += chunk.length;
  }
  return { size, md5: md5.digest('hex'), sha1: sha1.digest('hex'), sha256: sha256.digest('hex') };
}

/** SHA-256 of a file in hex. */
export async function digestFile(path: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 18 })) {
    signal?.throwIfAborted();
    hash.update(chunk);
  }
  return hash.digest('hex');
}
