import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { KubeparcelError } from '../../support/errors.ts';

/** A part of a multipart upload. */
export interface FilePart {
  /** Starts at 1. */
  readonly number: number;
  readonly offset: number;
  readonly length: number;
}

/** The parts of a file of this size; at least one, also for an empty file. */
export function partsOf(size: number, partSize: number): FilePart[] {
  const count = Math.max(1, Math.ceil(size / partSize));
  return Array.from({ length: count }, (_, at) => ({
    number: at + 1,
    offset: at * partSize,
    length: Math.min(partSize, size - at * partSize),
  }));
}

/**
 * The entity tag of an object that was uploaded in these parts: the MD5 of a single part, otherwise the MD5 of the parts'
 * MD5s followed by their number. On a storage with other entity tags, unchanged files are uploaded again.
 */
export async function entityTag(path: string, size: number, partSize: number): Promise<string> {
  const parts = partsOf(size, partSize);
  const sums: Buffer[] = [];
  await withFile(path, async (file) => {
    for (const part of parts) sums.push(md5(await readPart(file, part, path)));
  });
  const [only] = sums;
  return sums.length === 1 && only !== undefined
    ? only.toString('hex')
    : `${md5(Buffer.concat(sums)).toString('hex')}-${sums.length}`;
}

export function md5(bytes: Uint8Array): Buffer {
  return createHash('md5').update(bytes).digest();
}

/** @throws KubeparcelError of kind 'io' if the file has become shorter */
export async function readPart(file: FileHandle, { offset, length }: FilePart, path: string): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(bytes, filled, length - filled, offset + filled);
    if (bytesRead === 0) {
      throw new KubeparcelError('io', 'the file changed while it was read', {
        where: path,
        hint: 'publish again when no other process changes the repository',
      });
    }
    filled += bytesRead;
  }
  return bytes;
}

export async function withFile<T>(path: string, work: (file: FileHandle) => Promise<T>): Promise<T> {
  const file = await open(path, 'r');
  try {
    return await work(file);
  } finally {
    await file.close();
  }
}
