import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { KubeparcelError } from '../../support/errors.ts';

/** SHA-256 of a file in hex; memory does not grow with it. */
export async function fileSha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return hash.digest('hex');
}

/** One part of a file that is sent in parts. */
export interface FilePart {
  /** From 1 on. */
  readonly number: number;
  readonly offset: number;
  readonly length: number;
}

/** The parts of a file of this size; one for all that fits into one, an empty file included. */
export function partsOf(size: number, partSize: number): FilePart[] {
  const count = Math.max(1, Math.ceil(size / partSize));
  return Array.from({ length: count }, (_, at) => ({
    number: at + 1,
    offset: at * partSize,
    length: Math.min(partSize, size - at * partSize),
  }));
}

/**
 * The entity tag that S3 gives an object that is sent in these parts: its MD5 for one, else the MD5 of the parts' MD5s
 * and their count (so has every server that clients rely on for it; where one does not, files are sent again).
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

/** @throws KubeparcelError of kind 'io' when the file has become shorter */
export async function readPart(file: FileHandle, { offset, length }: FilePart, path: string): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(bytes, filled, length - filled, offset + filled);
    if (bytesRead === 0) {
      throw new KubeparcelError('io', 'the file was changed while it was read', {
        where: path,
        hint: 'publish when nothing else works on the repository',
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
