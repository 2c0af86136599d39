import { createHash } from 'node:crypto';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { crc32 } from 'node:zlib';
import pLimit from 'p-limit';
import type { SourceContent } from '../archive/archive-source.ts';
import { type Chunks, rechunk } from '../archive/chunks.ts';
import { untilAborted } from '../support/abort.ts';
import { formatChecksummed, parseChecksummed } from '../support/checksummed-lines.ts';
import { KubeparcelError } from '../support/errors.ts';
import { isErrno, syncFile } from '../support/file-system.ts';
import { type OutputChunk, totalSize } from '../support/output-chunks.ts';
import { ownedSuffix } from '../support/ownership.ts';
import { storeFailure } from '../support/store-failure.ts';
import { type PlaceOptions, placeAtomically, type WrittenFile, writeAtomically } from '../support/write-atomically.ts';
import { readBlocks, readKept, readRun, type StoredBlocks, writeBlocks } from './block-file.ts';
import { xz } from './codecs/xz.ts';
import { withChecksum } from './codecs/zstd.ts';
import { frameParts } from './codecs/zstd-frame.ts';
import type { BlockCodec, BlockStore, OnRead } from './compress-archive.ts';
import { compressSegments, INPUT_SIZE, inSegments, rankOf } from './compress-segments.ts';
import type { CompressionThreads } from './compression-threads.ts';
import { deflateRun } from './splice/gzip-blocks.ts';
import { blocksOf, type XzRecord, type XzRun } from './splice/xz-blocks.ts';
import { compressFrame, compressRun, runOf, type ZstdRun } from './splice/zstd-run.ts';
import type { FileCall } from './threads/file-thread.ts';
import { createPlaces } from './threads/places.ts';

/** What decides the blocks beside content, codec and level: the libraries, sizes of segments, the format of files here. */
export const BLOCK_RECIPE = 'zstd-wasm-1.12.5-lzma-native-8.0.6-2';
/** What else decides the blocks: Node's own zlib. */
const BY: Readonly<Record<BlockCodec, string>> = { zstd: '', xz: '', gzip: `-zlib-${process.versions.zlib}` };
/** Bytes. */
const GZIP_SEGMENT = 4 << 20;
/** Bytes; three dictionaries of xz -6, as xz itself cuts for its threads. */
const XZ_SEGMENT = 24 << 20;

export interface OpenBlockStore extends BlockStore {
  /** As writeAtomically does, on a thread, mode 0644. It cannot be stopped on the way. */
  write(path: string, chunks: readonly OutputChunk[], options: PlaceOptions): Promise<WrittenFile>;
  /** Whether blocks of contents came into it since it was opened. */
  grown(): boolean;
}

/**
 * Opens the store of compressed blocks in the directory of the content store. Any number of processes may use it: a file
 * appears by renaming a whole one. A damaged file is made anew.
 *
 * @param jobs contents or segments of them that are compressed at a time
 * @param signal with it aborted, no more is read or begun; what is on a thread of `threads` ends with that
 */
export async function openBlockStore(
  directory: string,
  threads: CompressionThreads,
  jobs: number,
  signal?: AbortSignal,
): Promise<OpenBlockStore> {
  const blocksDirectory = join(directory, 'packed', BLOCK_RECIPE);
  const temporary = join(directory, 'tmp');
  // A segment that no thread is free for waits unread.
  const places = createPlaces(jobs, signal);
  // liblzma works on threads of its own.
  const limit = pLimit(jobs);
  // What is long goes first, so that none of it is left over for the end.
  const onFiles = (call: FileCall) =>
    threads.files
      .with((thread) => thread.run(call), totalSize(call.chunks))
      .catch((cause) => {
        throw isErrno(cause, 'ENOENT') && call.chunks.some((part) => 'path' in part && part.path === cause.path)
          ? new KubeparcelError('io', 'a file of the cache was removed while a build used it', {
              where: cause.path,
              hint: 'run the command again; prune the cache when no build runs',
              cause,
            })
          : cause;
      });
  const sum = (algorithm: 'crc32' | 'md5' | 'sha256', chunks: readonly OutputChunk[]) =>
    onFiles({ call: 'sum', algorithm, chunks: inFewer(chunks) });
  const crcOf = async (path: string, size: number) => Number(await sum('crc32', [{ path, size }]));
  const frame = (bytes: Uint8Array, level: number) =>
    threads.small.with((thread) => compressFrame(thread, bytes, level));
  const xzStream = (chunks: Chunks, level: number) =>
    limit(async () => {
      signal?.throwIfAborted();
      return blocksOf(Buffer.concat(await all(xz(untilAborted(rechunk(chunks, INPUT_SIZE), signal), level))));
    });
  const refuse = (cause: unknown): never => {
    throw storeFailure(directory, cause);
  };
  let grown = false;
  await mkdir(temporary, { recursive: true });

  /** What is kept in this place; made, and read back, where it is not there or damaged. */
  const kept = async <T>(
    path: string,
    find: (path: string) => Promise<T | undefined>,
    make: (path: string) => Promise<void>,
  ): Promise<T> => {
    const read = (path: string) => find(path).catch(refuse);
    const found = await read(path);
    if (found !== undefined) return found;
    const unfinished = join(temporary, `object${ownedSuffix()}`);
    try {
      await make(unfinished);
      await mkdir(dirname(path), { recursive: true });
      await rename(unfinished, path);
    } catch (cause) {
      await rm(unfinished, { force: true });
      refuse(cause);
    }
    const made = await read(path);
    if (made === undefined) {
      throw new KubeparcelError('io', 'what was just written reads back differently', {
        where: path,
        hint: 'check the disk',
      });
    }
    return made;
  };
  const xzStreams = async (
    content: SourceContent,
    compress: (chunks: Chunks) => Promise<XzRun>,
    take: (blocks: XzRun) => Promise<void>,
  ) => {
    if (content.whole !== true) return inSegments(content, XZ_SEGMENT, places, (bytes) => compress([bytes]), take);
    const leave = await places.take(rankOf(content));
    await take(await compress(content.open()).finally(leave));
  };
  const place = (room: string, key: string) => join(blocksDirectory, room, key.slice(0, 2), key.slice(2));
  const blocks = once<StoredBlocks>();
  const runs = once<ZstdRun>();
  const readings = new Map<string, Reading>();
  /** @param make gets the content with its readers counted */
  const blocksOfContent = (
    codec: BlockCodec,
    { content, level, onRead }: Wanted,
    make: (path: string, content: SourceContent) => Promise<void>,
  ) => {
    const path = place(`${codec}${BY[codec]}-${level}`, content.key);
    const reading = readings.get(path) ?? { bytes: 0, heard: new Set() };
    readings.set(path, reading);
    if (onRead !== undefined) {
      onRead(reading.bytes);
      reading.heard.add(onRead);
    }
    const makeMore = async (unfinished: string) => {
      await make(unfinished, { ...content, open: () => told(untilAborted(content.open(), signal), reading) });
      grown = true;
    };
    return blocks(path, () => kept(path, (there) => readBlocks(there, crcOf), makeMore));
  };

  return {
    async zstdBlocks(content, level, onRead) {
      const make = (path: string, content: SourceContent) =>
        writeBlocks(path, async (append) => {
          const windows = await compressSegments(content, places, append, (segment, take) =>
            threads.zstd.with((thread) => compressRun(thread, rechunk(segment, INPUT_SIZE), level, take)),
          );
          return { windowDescriptor: Math.max(...windows) };
        });
      const { windowDescriptor = 0, ...blocks } = await blocksOfContent('zstd', { content, level, onRead }, make);
      return { windowDescriptor, id: `${content.key} ${blocks.crc32}`, ...blocks };
    },
    async xzBlocks(content, level, onRead) {
      const make = (path: string, content: SourceContent) =>
        writeBlocks(path, async (append) => {
          const records: XzRecord[] = [];
          const compress = (chunks: Chunks) => xzStream(chunks, level);
          await xzStreams(content, compress, async (blocks) => {
            records.push(...blocks.records);
            await append(blocks.bytes);
          });
          return { records };
        });
      const { records = [], ...blocks } = await blocksOfContent('xz', { content, level, onRead }, make);
      return { records, id: `${content.key} ${blocks.crc32}`, ...blocks };
    },
    async deflateBlocks(content, level, onRead) {
      const make = (path: string, content: SourceContent) =>
        writeBlocks(path, async (append) => {
          const unpacked = { crc32: 0, size: 0 };
          let before: Uint8Array = new Uint8Array();
          const compress = (bytes: Uint8Array) => {
            unpacked.crc32 = crc32(bytes, unpacked.crc32);
            unpacked.size += bytes.length;
            const run = deflateRun(bytes, level, before);
            before = bytes;
            return run;
          };
          await inSegments(content, GZIP_SEGMENT, places, compress, append);
          return { unpacked };
        });
      const { unpacked, ...blocks } = await blocksOfContent('gzip', { content, level, onRead }, make);
      if (unpacked === undefined) throw new Error('blocks of gzip are kept without what they unpack to');
      return { unpacked, id: `${content.key} ${blocks.crc32}`, ...blocks };
    },
    zstdRun(bytes, level) {
      const path = place(`zstd-run-${level}`, createHash('sha256').update(bytes).digest('hex'));
      const make = async (unfinished: string) => {
        const { window, blocks } = await runOf(frameParts([await frame(bytes, level)]));
        const make = async (append: (bytes: Uint8Array) => Promise<void>) => {
          await append(Buffer.concat(blocks));
          return { windowDescriptor: window };
        };
        await writeBlocks(unfinished, make, { sync: false });
      };
      return runs(path, async () => {
        const { windowDescriptor = 0, bytes } = await kept(path, readRun, make);
        return { window: windowDescriptor, blocks: [bytes] };
      });
    },
    zstdFrame: async (bytes, level) => withChecksum(await frame(bytes, level), bytes),
    xzRun: (bytes, level) => xzStream([bytes], level),
    async fact(kind, key, find) {
      const path = join(directory, 'packed', BLOCK_RECIPE, 'facts', kind, key.slice(0, 2), key.slice(2));
      const known = parseChecksummed((await readKept(path).catch(refuse))?.toString() ?? '')?.[0];
      if (known !== undefined) return known;
      const fact = await find();
      try {
        await mkdir(dirname(path), { recursive: true });
        await writeAtomically(path, [formatChecksummed([fact])], { temporaryDirectory: temporary, sync: false });
      } catch (cause) {
        refuse(cause);
      }
      return fact;
    },
    digest: sum,
    grown: () => grown,
    async write(path, chunks, options) {
      const sha256 = await placeAtomically(path, options, async (unfinished) => {
        const written = await onFiles({ call: 'write', path: unfinished, mode: 0o644, chunks: inFewer(chunks) });
        // The thread has the next file to write meanwhile.
        await syncFile(unfinished);
        return written;
      });
      return { path, size: totalSize(chunks), sha256 };
    },
  };
}

interface Wanted {
  readonly content: SourceContent;
  readonly level: number;
  readonly onRead: OnRead | undefined;
}

/** How far a content is read that is compressed, and who wants to know. */
interface Reading {
  bytes: number;
  readonly heard: Set<OnRead>;
}

async function* told(chunks: Chunks, reading: Reading): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of chunks) {
    reading.bytes += chunk.length;
    for (const onRead of reading.heard) onRead(chunk.length);
    yield chunk;
  }
}

/** Whoever asks for the same meanwhile, or later, gets the same. */
function once<T>() {
  const running = new Map<string, Promise<T>>();
  return (name: string, make: () => Promise<T>): Promise<T> => {
    const one = running.get(name) ?? make();
    running.set(name, one);
    return one;
  };
}

/** The same bytes in as few chunks as they can be, and with nothing in them that cannot be sent to a thread. */
function inFewer(chunks: readonly OutputChunk[]): OutputChunk[] {
  const fewer: OutputChunk[] = [];
  let pending: Uint8Array[] = [];
  const flush = () => {
    if (pending.length > 0) fewer.push(Buffer.concat(pending));
    pending = [];
  };
  for (const part of chunks) {
    if (part instanceof Uint8Array) {
      pending.push(part);
    } else {
      flush();
      fewer.push({ path: part.path, size: part.size });
    }
  }
  flush();
  return fewer;
}

async function all(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> {
  const kept: Uint8Array[] = [];
  for await (const chunk of chunks) kept.push(chunk);
  return kept;
}
