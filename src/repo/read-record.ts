import { open } from 'node:fs/promises';
import { KubeparcelError } from '../support/errors.ts';
import { readDebRecord } from './apt/read-record.ts';
import type { FileDigests } from './digest-package.ts';
import type { PackageRecord } from './record.ts';
import { readRpmRecord } from './rpm-md/read-record.ts';

/**
 * Reads a package's record; the format is told by its first bytes.
 *
 * @throws KubeparcelError of kind 'format' or 'verification' for what is no package, or a damaged one
 */
export async function readRecord(
  path: string,
  digests: FileDigests,
  options: { readonly signal?: AbortSignal } = {},
): Promise<PackageRecord> {
  const start = Buffer.alloc(8);
  const file = await open(path, 'r');
  try {
    await file.read(start, 0, 8, 0);
  } finally {
    await file.close();
  }
  if (start.toString('latin1') === '!<arch>\n') return readDebRecord(path, digests, options);
  if (start.readUInt32BE(0) === 0xedabeedb) return readRpmRecord(path, digests, options);
  throw new KubeparcelError('format', 'this is neither a .deb nor an .rpm', {
    where: path,
    todo: 'name a binary package file',
  });
}
