import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { packageFormat } from '../../layout/package-format.ts';
import { readDebRecord } from '../formats/apt/read-record.ts';
import { readRpmRecord } from '../formats/rpm-md/read-record.ts';
import type { FileDigests, PackageRecord } from '../model/record.ts';

const CHUNK = 1 << 18;

/**
 * Reads the record of a .deb or .rpm.
 *
 * @throws KubeparcelError of kind 'format' or 'verification' if it is damaged or not a package
 */
export async function readRecord(
  path: string,
  digests: FileDigests,
  options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<PackageRecord> {
  const read = (await packageFormat(path)) === 'deb' ? readDebRecord : readRpmRecord;
  return read(path, digests, options);
}

/** Computes all digests of a file in one pass; memory use does not depend on its size. */
export async function digestPackage(path: string, signal?: AbortSignal): Promise<FileDigests> {
  const [md5, sha1, sha256] = [createHash('md5'), createHash('sha1'), createHash('sha256')];
  let size = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: CHUNK })) {
    signal?.throwIfAborted();
    for (const hash of [md5, sha1, sha256]) hash.update(chunk);
    size += chunk.length;
  }
  return { size, md5: md5.digest('hex'), sha1: sha1.digest('hex'), sha256: sha256.digest('hex') };
}

/** SHA-256 of a file in hex; memory use does not depend on its size. */
export async function digestFile(path: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: CHUNK })) {
    signal?.throwIfAborted();
    hash.update(chunk);
  }
  return hash.digest('hex');
}
