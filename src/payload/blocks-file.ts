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

export interface KeptBlocks extends Trailer {
  readonly path: string;
}

/**
 * Writes the blocks and the trailer into a new file.
 *
 * @param options.sync false for what need not outlast a power cut: damage is found when it is read
 */
export async function writeBlocks(
  path: string,
  parts: readonly Uint8Array[],
  facts: Omit<Trailer, 'size' | 'crc32'>,
  options: { readonly sync?: false } = {},
): Promise<void> {
  const file = await open(path, 'wx', 0o644);
  try {
    let size = 0;
    let crc = 0;
    for (const bytes of parts) {
      // zlib.crc32 begins anew at an empty array.
      if (bytes.length === 0) continue;
      size += bytes.length;
      crc = crc32(bytes, crc);
      await file.writeFile(bytes);
    }
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
export async function isSoundPacked(path: string): Promise<boolean> {
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
): Promise<KeptBlocks | undefined> {
  let file: FileHandle;
  try {
    file = await open(path, 'r');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
  try {
    const trailer = await readTrailer(file);
    if (trailer !== undefined && (await crcOf(path, trailer.size)) === trailer.crc32) {
      await touch(path);
      return { ...trailer, path };
    }
  } finally {
    await file.close();
  }
  await rm(path, { force: true });
  return undefined;
}

/** The same for a few blocks, with their bytes. */
export async function readRun(path: string): Promise<(Trailer & { readonly bytes: Uint8Array }) | undefined> {
  let file: Buffer;
  try {
    file = await readFile(path);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
  const trailer = parseTrailer(file, file.length);
  const bytes = file.subarray(0, trailer?.size);
  if (trailer !== undefined && crc32(bytes) === trailer.crc32) {
    await touch(path);
    return { ...trailer, bytes };
  }
  await rm(path, { force: true });
  return undefined;
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
  const trailer = trailerSchema.parse(JSON.parse(text.toString()));
  return trailer.size === size - text.length - 8 ? trailer : undefined;
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
