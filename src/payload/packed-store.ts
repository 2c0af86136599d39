import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, readFile, rename, rm, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { rechunk } from '../archive/chunks.ts';
import type { PackedStore } from '../archive/packed.ts';
import type { ContentPiece } from '../archive/pieces.ts';
import { cutSegments } from '../archive/segments.ts';
import { RESET } from '../archive/zstd-blocks.ts';
import { type CompressedRun, createZstdPool, type ZstdPool } from '../archive/zstd-pool.ts';
import type { PackedBlocks } from '../archive/zstd-splice.ts';
import { KubeparcelError } from '../support/errors.ts';
import { isErrno } from '../support/file-system.ts';
import { ownedSuffix } from '../support/ownership.ts';
import { writeAtomically } from '../support/write-atomically.ts';
import { storeFailure } from './store-files.ts';

/** What decides the blocks beside content and level: the library, the size of segments, the format of the files here. */
export const MAKING = 'zstd-wasm-1.12.5-segments-16MiB-1';
const INPUT_SIZE = 1 << 20;

/** What stands at the end of a file of blocks, before its own length in four bytes. */
interface Trailer {
  readonly windowDescriptor: number;
  /** Bytes of the blocks. */
  readonly size: number;
  readonly crc32: number;
}

export interface OpenPackedStore extends PackedStore {
  close(): Promise<void>;
}

/**
 * Opens the store of compressed blocks in the folder of the content store. Any number of processes may use it: a file
 * appears by renaming a whole one. A damaged file is made anew.
 *
 * @param threads that compress, at most
 */
export async function openPackedStore(folder: string, threads: number): Promise<OpenPackedStore> {
  const blocksFolder = join(folder, 'packed', MAKING);
  const temporary = join(folder, 'tmp');
  const pool = createZstdPool(threads);
  const running = new Map<string, Promise<PackedBlocks>>();
  await mkdir(temporary, { recursive: true });

  const blocks = async (content: ContentPiece, level: number): Promise<PackedBlocks> => {
    const path = join(blocksFolder, `level-${level}`, content.key.slice(0, 2), content.key.slice(2));
    const found = await readBlocks(path);
    if (found !== undefined) return found;
    const unfinished = join(temporary, `object${ownedSuffix()}`);
    try {
      const runs = await compressContent(content, level, pool);
      await writeBlocks(unfinished, runs);
      await mkdir(join(path, '..'), { recursive: true });
      await rename(unfinished, path);
    } catch (cause) {
      await rm(unfinished, { force: true });
      throw storeFailure(folder, cause);
    }
    const made = await readBlocks(path);
    if (made === undefined) {
      throw new KubeparcelError('io', 'what was just written reads back differently', {
        where: path,
        todo: 'check the disk',
      });
    }
    return made;
  };

  return {
    blocks(content, level) {
      const name = `${level} ${content.key}`;
      let one = running.get(name);
      if (one === undefined) {
        one = blocks(content, level);
        running.set(name, one);
      }
      return one;
    },
    compressRun: (bytes, level) => pool.compress(rechunk([bytes], INPUT_SIZE), level),
    async fact(kind, key, find) {
      const path = join(folder, 'packed', MAKING, 'facts', kind, key.slice(0, 2), key.slice(2));
      try {
        const text = await readFile(path, 'utf8');
        const [line = '', sum] = text.split('\n');
        if (sum === crc32(line).toString(16)) return line;
      } catch (error) {
        if (!isErrno(error, 'ENOENT')) throw storeFailure(folder, error);
      }
      const fact = await find();
      await mkdir(join(path, '..'), { recursive: true });
      const text = Buffer.from(`${fact}\n${crc32(fact).toString(16)}\n`);
      await writeAtomically(path, [text], { temporaryFolder: temporary });
      return fact;
    },
    close: () => pool.close(),
  };
}

/** Segments of the content, each compressed on a thread of its own as soon as one is free. */
async function compressContent(content: ContentPiece, level: number, pool: ZstdPool): Promise<CompressedRun[]> {
  if (content.whole === true) {
    return [await pool.compress(rechunk(content.open(), INPUT_SIZE), level)];
  }
  const runs: Promise<CompressedRun>[] = [];
  const begin = (segment: AsyncIterable<Uint8Array>) => {
    const run = pool.compress(rechunk(segment, INPUT_SIZE), level);
    // It is awaited below; until then its failure is nobody's surprise.
    run.catch(() => {});
    runs.push(run);
  };
  await cutSegments(rechunk(content.open(), INPUT_SIZE), begin);
  return Promise.all(runs);
}

/** Writes the runs with a reset between each two, and the trailer. */
async function writeBlocks(path: string, runs: readonly CompressedRun[]): Promise<void> {
  const file = await open(path, 'wx', 0o644);
  try {
    let size = 0;
    let crc = 0;
    for (const [index, run] of runs.entries()) {
      const bytes = Buffer.concat(index === 0 ? run.blocks : [RESET, ...run.blocks]);
      size += bytes.length;
      crc = crc32(bytes, crc);
      await file.writeFile(bytes);
    }
    const windowDescriptor = Math.max(...runs.map(({ window }) => window));
    const trailer = Buffer.from(JSON.stringify({ windowDescriptor, size, crc32: crc } satisfies Trailer));
    const length = Buffer.alloc(4);
    length.writeUInt32LE(trailer.length);
    await file.writeFile(Buffer.concat([trailer, length]));
    await file.sync();
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

/** The blocks of a file that is whole and sound; any other is removed. */
async function readBlocks(path: string): Promise<PackedBlocks | undefined> {
  let file: FileHandle;
  try {
    file = await open(path, 'r');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
  try {
    const trailer = await readTrailer(file);
    if (trailer !== undefined && (await sumOf(file, trailer.size)) === trailer.crc32) {
      const now = new Date();
      await utimes(path, now, now).catch(() => {});
      const { windowDescriptor, size } = trailer;
      return {
        windowDescriptor,
        size,
        open: () => createReadStream(path, { end: size - 1, highWaterMark: INPUT_SIZE }),
      };
    }
  } finally {
    await file.close();
  }
  await rm(path, { force: true });
  return undefined;
}

async function readTrailer(file: FileHandle): Promise<Trailer | undefined> {
  const { size } = await file.stat();
  const tail = Buffer.alloc(Math.min(size, 256));
  await file.read(tail, 0, tail.length, size - tail.length);
  if (tail.length < 4) return undefined;
  const length = tail.readUInt32LE(tail.length - 4);
  if (length + 4 > tail.length) return undefined;
  try {
    const trailer: unknown = JSON.parse(tail.toString('utf8', tail.length - 4 - length, tail.length - 4));
    return isTrailer(trailer) && trailer.size === size - length - 4 ? trailer : undefined;
  } catch {
    return undefined;
  }
}

function isTrailer(value: unknown): value is Trailer {
  return (
    typeof value === 'object' &&
    value !== null &&
    ['windowDescriptor', 'size', 'crc32'].every((name) => Number.isSafeInteger(Reflect.get(value, name)))
  );
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
