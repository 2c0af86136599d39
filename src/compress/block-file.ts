import { type FileHandle, open, readFile, rm, utimes } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { z } from 'zod';
import { isErrno } from '../support/file-system.ts';

const INPUT_SIZE = 1 << 20;

/** What stands at the end of a file of blocks, before its own CRC-32 and length in four bytes each. */
const trailerSchema = z.object({
  /** Bytes of the blocks. */
  size: z.int(),
  crc32: z.int(),
  windowDescriptor: z.int().optional(),
  unpacked: z.object({ crc32: z.int(), size: z.int() }).optional(),
  records: z.array(z.object({ unpadded: z.int(), uncompressed: z.int() })).optional(),
});
type Trailer = z.output<typeof trailerSchema>;

export interface StoredBlocks extends Trailer {
  readonly path: string;
}

/** What is known of the blocks when all of them are there. */
export type BlocksFacts = Omit<Trailer, 'size' | 'crc32'>;

/**
 * Writes blocks and the trailer into a new file.
 *
 * @param make appends the blocks, in one go or one after another as they come to be: one at a time
 * @param options.sync false for what need not outlast a power cut: damage is found when it is read
 */
export async function writeBlocks(
  path: string,
  make: (append: (bytes: Uint8Array) => Promise<void>) => Promise<BlocksFacts>,
  options: { readonly sync?: false } = {},
): Promise<void> {
  const file = await open(path, 'wx', 0o644);
  try {
    let size = 0;
    let crc = 0;
    const facts = await make(async (bytes) => {
      // zlib.crc32 begins anew at an empty array.
      if (bytes.length === 0) return;
      size += bytes.length;
      crc = crc32(bytes, crc);
      await file.writeFile(bytes);
    });
    const trailer = Buffer.from(JSON.stringify({ size, crc32: crc, ...facts } satisfies Trailer));
    const end = Buffer.alloc(8);
    end.writeUInt32LE(crc32(trailer));
    end.writeUInt32LE(trailer.length, 4);
    await file.writeFile(Buffer.concat([trailer, end]));
    if (options.sync !== false) await file.sync();
  } finally {
    await file.close();
  }
}

/** Whether a file of blocks is as it was written. */
export async function isIntactBlockFile(path: string): Promise<boolean> {
  const file = await open(path, 'r');
  try {
    const trailer = await readTrailer(file);
    return trailer !== undefined && (await sumOf(file, trailer.size)) === trailer.crc32;
  } finally {
    await file.close();
  }
}

/**
 * Where the blocks are in a file that is whole and sound; any other is removed.
 *
 * @param crcOf the CRC-32 of a file's first bytes
 */
export async function readBlocks(
  path: string,
  crcOf: (path: string, size: number) => Promise<number>,
): Promise<StoredBlocks | undefined> {
  const file = await unlessMissing(path, () => open(path, 'r'));
  if (file === undefined) return undefined;
  try {
    const trailer = (await file.stat()).isFile() ? await readTrailer(file) : undefined;
    if (trailer !== undefined && (await crcOf(path, trailer.size)) === trailer.crc32) {
      await touch(path);
      return { ...trailer, path };
    }
  } finally {
    await file.close();
  }
  await rm(path, { recursive: true, force: true });
  return undefined;
}

/** The same for a few blocks, with their bytes. */
export async function readRun(path: string): Promise<(Trailer & { readonly bytes: Uint8Array }) | undefined> {
  const file = await readKept(path);
  if (file === undefined) return undefined;
  const trailer = parseTrailer(file, file.length);
  const bytes = file.subarray(0, trailer?.size);
  if (trailer !== undefined && crc32(bytes) === trailer.crc32) {
    await touch(path);
    return { ...trailer, bytes };
  }
  await rm(path, { force: true });
  return undefined;
}

/** All of a file that is kept; undefined where there is none. */
export function readKept(path: string): Promise<Buffer | undefined> {
  return unlessMissing(path, () => readFile(path));
}

/** What is no file, but stands where one belongs, is removed: it would be in the way for ever. */
async function unlessMissing<T>(path: string, read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (isErrno(error, 'EISDIR') || isErrno(error, 'ELOOP')) await rm(path, { recursive: true });
    else if (!isErrno(error, 'ENOENT')) throw error;
    return undefined;
  }
}

/** What was used last is pruned last. */
async function touch(path: string): Promise<void> {
  const now = new Date();
  await utimes(path, now, now).catch(() => {});
}

/** A trailer of 64 KiB has a record of every 24 MiB of 50 GiB. */
const MAX_TRAILER = 1 << 16;

async function readTrailer(file: FileHandle): Promise<Trailer | undefined> {
  const { size } = await file.stat();
  const tail = Buffer.alloc(Math.min(size, MAX_TRAILER));
  await file.read(tail, 0, tail.length, size - tail.length);
  return parseTrailer(tail, size);
}

/** @param size of the whole file, whose end `tail` is */
function parseTrailer(tail: Buffer, size: number): Trailer | undefined {
  if (tail.length < 8) return undefined;
  const at = tail.length - 8 - tail.readUInt32LE(tail.length - 4);
  if (at < 0) return undefined;
  const text = tail.subarray(at, tail.length - 8);
  if (crc32(text) !== tail.readUInt32LE(tail.length - 8)) return undefined;
  // Zeros, as a power cut leaves them, are an empty text with the right sum.
  const { data: trailer } = trailerSchema.safeParse(parsed(text));
  return trailer?.size === size - text.length - 8 ? trailer : undefined;
}

function parsed(json: Buffer): unknown {
  try {
    return JSON.parse(json.toString());
  } catch {
    return undefined;
  }
}

async function sumOf(file: FileHandle, size: number): Promise<number> {
  let crc = 0;
  const buffer = Buffer.allocUnsafe(INPUT_SIZE);
  for (let position = 0; position < size; ) {
    const { bytesRead } = await file.read(buffer, 0, Math.min(buffer.length, size - position), position);
    if (bytesRead === 0) break;
    crc = crc32(buffer.subarray(0, bytesRead), crc);
    position += bytesRead;
  }
  return crc;
}
