import { type FileHandle, open, readFile, rm, utimes } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { z } from 'zod';
import { isErrno } from '../support/file-system.ts';

const READ_SIZE = 1 << 20;

/** The JSON at the end of a block file, followed by its CRC-32 and its length (four bytes each). */
const trailerSchema = z.object({
  /** Size of the blocks in bytes. */
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

/** The fields of a trailer other than the size and checksum of the blocks. */
export type BlockFacts = Omit<Trailer, 'size' | 'crc32'>;

export type AppendBytes = (bytes: Uint8Array) => Promise<void>;

/**
 * Writes blocks and the trailer into a new file.
 *
 * @param make appends the blocks in order, and waits for each call of `append`
 * @param options.sync false if the file may be lost in a power failure; damage is detected when it is read
 */
export async function writeBlocks(
  path: string,
  make: (append: AppendBytes) => Promise<BlockFacts>,
  options: { readonly sync?: false } = {},
): Promise<void> {
  const file = await open(path, 'wx', 0o644);
  try {
    let size = 0;
    let crc = 0;
    const facts = await make(async (bytes) => {
      // zlib.crc32 returns 0 for an empty array, whatever the initial value.
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

/** Whether the checksums of a block file are correct. */
export async function isIntactBlockFile(path: string): Promise<boolean> {
  const file = await open(path, 'r');
  try {
    const trailer = await readTrailer(file);
    return trailer !== undefined && (await crc32Of(file, trailer.size)) === trailer.crc32;
  } finally {
    await file.close();
  }
}

/**
 * Verifies a block file; removes it if it is damaged.
 *
 * @param crcOf computes the CRC-32 of the first `size` bytes of a file
 * @returns undefined if there is no intact file
 */
export async function readBlocks(
  path: string,
  crcOf: (path: string, size: number) => Promise<number>,
): Promise<StoredBlocks | undefined> {
  const file = await ifFile(path, () => open(path, 'r'));
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

/** Reads a small block file with its bytes; removes it if it is damaged. */
export async function readRun(path: string): Promise<(Trailer & { readonly bytes: Uint8Array }) | undefined> {
  const file = await readIfFile(path);
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

/** Reads a whole file of the cache; undefined if it does not exist. */
export function readIfFile(path: string): Promise<Buffer | undefined> {
  return ifFile(path, () => readFile(path));
}

/** Removes directories and links at the path of a file: otherwise the file could never be written. */
async function ifFile<T>(path: string, read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (isErrno(error, 'EISDIR') || isErrno(error, 'ELOOP')) await rm(path, { recursive: true });
    else if (!isErrno(error, 'ENOENT')) throw error;
    return undefined;
  }
}

/** Marks a file as used: pruning removes the least recently used files first. */
async function touch(path: string): Promise<void> {
  const now = new Date();
  await utimes(path, now, now).catch(() => {});
}

/** Bytes; enough for the xz records of 50 GiB. */
const MAX_TRAILER_SIZE = 1 << 16;

async function readTrailer(file: FileHandle): Promise<Trailer | undefined> {
  const { size } = await file.stat();
  const tail = Buffer.alloc(Math.min(size, MAX_TRAILER_SIZE));
  await file.read(tail, 0, tail.length, size - tail.length);
  return parseTrailer(tail, size);
}

/** @param tail end of a file of `size` bytes */
function parseTrailer(tail: Buffer, size: number): Trailer | undefined {
  if (tail.length < 8) return undefined;
  const at = tail.length - 8 - tail.readUInt32LE(tail.length - 4);
  if (at < 0) return undefined;
  const text = tail.subarray(at, tail.length - 8);
  if (crc32(text) !== tail.readUInt32LE(tail.length - 8)) return undefined;
  // A file of zeros, for example after a power failure, has an empty trailer with a correct checksum.
  const { data: trailer } = trailerSchema.safeParse(parseJson(text));
  return trailer?.size === size - text.length - 8 ? trailer : undefined;
}

function parseJson(json: Buffer): unknown {
  try {
    return JSON.parse(json.toString());
  } catch {
    return undefined;
  }
}

async function crc32Of(file: FileHandle, size: number): Promise<number> {
  let crc = 0;
  const buffer = Buffer.allocUnsafe(READ_SIZE);
  for (let position = 0; position < size; ) {
    const { bytesRead } = await file.read(buffer, 0, Math.min(buffer.length, size - position), position);
    if (bytesRead === 0) break;
    crc = crc32(buffer.subarray(0, bytesRead), crc);
    position += bytesRead;
  }
  return crc;
}
