import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { crc32 } from 'node:zlib';
import pLimit from 'p-limit';
import { type Chunks, rechunk } from '../archive/chunks.ts';
import { deflateRun } from '../archive/gzip-blocks.ts';
import type { OnRead, PackedCodec, PackedStore } from '../archive/packed.ts';
import type { ContentPiece } from '../archive/pieces.ts';
import { cutSegments } from '../archive/segments.ts';
import { xz } from '../archive/xz.ts';
import { blocksOf, type XzBlocks } from '../archive/xz-blocks.ts';
import { withChecksum } from '../archive/zstd.ts';
import { RESET } from '../archive/zstd-blocks.ts';
import { frameParts } from '../archive/zstd-frame.ts';
import { type CompressedRun, compressFrame, compressRun, runOf } from '../archive/zstd-run.ts';
import { KubeparcelError } from '../support/errors.ts';
import { isErrno, syncFile } from '../support/file-system.ts';
import type { FileCall } from '../support/file-thread.ts';
import { ownedSuffix } from '../support/ownership.ts';
import { type Part, totalSize } from '../support/parts.ts';
import { createPlaces, type Places } from '../support/places.ts';
import { placeAtomically, type WrittenFile, writeAtomically } from '../support/write-atomically.ts';
import { type KeptBlocks, readBlocks, readRun, writeBlocks } from './blocks-file.ts';
import type { PackingThreads } from './packing-threads.ts';
import { storeFailure } from './store-files.ts';

/** What decides the blocks beside content, codec and level: the libraries, sizes of segments, the format of files here. */
export const MAKING = 'zstd-wasm-1.12.5-lzma-native-8.0.6-1';
const INPUT_SIZE = 1 << 20;
/** What else decides the blocks: Node's own zlib. */
const BY: Readonly<Record<PackedCodec, string>> = { zstd: '', xz: '', gzip: `-zlib-${process.versions.zlib}` };
/** Bytes. */
const GZIP_SEGMENT = 4 << 20;
/** Bytes; three dictionaries of xz -6, as xz itself cuts for its threads. */
const XZ_SEGMENT = 24 << 20;

export interface OpenPackedStore extends PackedStore {
  /** As writeAtomically does, on a thread, mode 0644. It cannot be stopped on the way. */
  write(path: string, parts: readonly Part[], temporaryFolder: string): Promise<WrittenFile>;
  /** Whether blocks of contents came into it since it was opened. */
  grown(): boolean;
}

/**
 * Opens the store of compressed blocks in the folder of the content store. Any number of processes may use it: a file
 * appears by renaming a whole one. A damaged file is made anew.
 *
 * @param jobs contents or segments of them that are compressed at a time
 */
export async function openPackedStore(folder: string, threads: PackingThreads, jobs: number): Promise<OpenPackedStore> {
  const blocksFolder = join(folder, 'packed', MAKING);
  const temporary = join(folder, 'tmp');
  // A segment that no thread is free for waits unread.
  const places = createPlaces(jobs);
  // liblzma works on threads of its own.
  const limit = pLimit(jobs);
  // What is long goes first, so that none of it is left over for the end.
  const onFiles = (call: FileCall) => threads.files.with((thread) => thread.run(call), totalSize(call.parts));
  const sum = (algorithm: 'crc32' | 'md5' | 'sha256', parts: readonly Part[]) =>
    onFiles({ call: 'sum', algorithm, parts: inFewer(parts) });
  const crcOf = async (path: string, size: number) => Number(await sum('crc32', [{ path, size }]));
  const frame = (bytes: Uint8Array, level: number) =>
    threads.small.with((thread) => compressFrame(thread, bytes, level));
  const xzStream = (chunks: Chunks, level: number) =>
    limit(async () => blocksOf(Buffer.concat(await all(xz(rechunk(chunks, INPUT_SIZE), level)))));
  let grown = false;
  await mkdir(temporary, { recursive: true });

  /** What is kept in this place; made, and read back, where it is not there or damaged. */
  const kept = async <T>(
    path: string,
    read: (path: string) => Promise<T | undefined>,
    make: (path: string) => Promise<void>,
  ): Promise<T> => {
    const found = await read(path);
    if (found !== undefined) return found;
    const unfinished = join(temporary, `object${ownedSuffix()}`);
    try {
      await make(unfinished);
      await mkdir(dirname(path), { recursive: true });
      await rename(unfinished, path);
    } catch (cause) {
      await rm(unfinished, { force: true });
      throw storeFailure(folder, cause);
    }
    const made = await read(path);
    if (made === undefined) {
      throw new KubeparcelError('io', 'what was just written reads back differently', {
        where: path,
        todo: 'check the disk',
      });
    }
    return made;
  };
  const xzStreams = async (content: ContentPiece, compress: (chunks: Chunks) => Promise<XzBlocks>) => {
    if (content.whole !== true) return inSegments(content, XZ_SEGMENT, places, (bytes) => compress([bytes]));
    const leave = await places.take(rankOf(content));
    return [await compress(content.open()).finally(leave)];
  };
  const place = (room: string, key: string) => join(blocksFolder, room, key.slice(0, 2), key.slice(2));
  const blocks = once<KeptBlocks>();
  const runs = once<CompressedRun>();
  const readings = new Map<string, Reading>();
  /** @param make gets the content with its readers counted */
  const blocksOfContent = (
    codec: PackedCodec,
    { content, level, onRead }: Wanted,
    make: (path: string, content: ContentPiece) => Promise<void>,
  ) => {
    const path = place(`${codec}${BY[codec]}-${level}`, content.key);
    const reading = readings.get(path) ?? { bytes: 0, heard: new Set() };
    readings.set(path, reading);
    if (onRead !== undefined) {
      onRead(reading.bytes);
      reading.heard.add(onRead);
    }
    const makeMore = async (unfinished: string) => {
      await make(unfinished, { ...content, open: () => told(content.open(), reading) });
      grown = true;
    };
    return blocks(path, () => kept(path, (there) => readBlocks(there, crcOf), makeMore));
  };

  return {
    async zstdBlocks(content, level, onRead) {
      const make = async (path: string, content: ContentPiece) => {
        const runs = await compressContent(content, places, (segment) =>
          threads.zstd.with((thread) => compressRun(thread, rechunk(segment, INPUT_SIZE), level)),
        );
        const parts = runs.map(({ blocks }, index) => Buffer.concat(index === 0 ? blocks : [RESET, ...blocks]));
        await writeBlocks(path, parts, { windowDescriptor: Math.max(...runs.map(({ window }) => window)) });
      };
      const { windowDescriptor = 0, ...blocks } = await blocksOfContent('zstd', { content, level, onRead }, make);
      return { windowDescriptor, id: `${content.key} ${blocks.crc32}`, ...blocks };
    },
    async xzBlocks(content, level, onRead) {
      const make = async (path: string, content: ContentPiece) => {
        const streams = await xzStreams(content, (chunks) => xzStream(chunks, level));
        const parts = streams.map(({ bytes }) => bytes);
        await writeBlocks(path, parts, { records: streams.flatMap((stream) => stream.records) });
      };
      const { records = [], ...blocks } = await blocksOfContent('xz', { content, level, onRead }, make);
      return { records, id: `${content.key} ${blocks.crc32}`, ...blocks };
    },
    async deflateBlocks(content, level, onRead) {
      const make = async (path: string, content: ContentPiece) => {
        const unpacked = { crc32: 0, size: 0 };
        let before: Uint8Array = new Uint8Array();
        const runs = await inSegments(content, GZIP_SEGMENT, places, (bytes) => {
          unpacked.crc32 = crc32(bytes, unpacked.crc32);
          unpacked.size += bytes.length;
          const run = deflateRun(bytes, level, before);
          before = bytes;
          return run;
        });
        await writeBlocks(path, runs, { unpacked });
      };
      const { unpacked, ...blocks } = await blocksOfContent('gzip', { content, level, onRead }, make);
      if (unpacked === undefined) throw new Error('blocks of gzip are kept without what they unpack to');
      return { unpacked, id: `${content.key} ${blocks.crc32}`, ...blocks };
    },
    zstdRun(bytes, level) {
      const path = place(`zstd-run-${level}`, createHash('sha256').update(bytes).digest('hex'));
      const make = async (unfinished: string) => {
        const { window, blocks } = await runOf(frameParts([await frame(bytes, level)]));
        await writeBlocks(unfinished, blocks, { windowDescriptor: window }, { sync: false });
      };
      return runs(path, async () => {
        const { windowDescriptor = 0, bytes } = await kept(path, readRun, make);
        return { window: windowDescriptor, blocks: [bytes] };
      });
    },
    zstdFrame: async (bytes, level) => withChecksum(await frame(bytes, level), bytes),
    xzRun: (bytes, level) => xzStream([bytes], level),
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
      await writeAtomically(path, [text], { temporaryFolder: temporary, sync: false });
      return fact;
    },
    digest: sum,
    grown: () => grown,
    async write(path, parts, temporaryFolder) {
      const sha256 = await placeAtomically(path, { temporaryFolder }, async (unfinished) => {
        const written = await onFiles({ call: 'write', path: unfinished, mode: 0o644, parts: inFewer(parts) });
        // The thread has the next file to write meanwhile.
        await syncFile(unfinished);
        return written;
      });
      return { path, size: totalSize(parts), sha256 };
    },
  };
}

interface Wanted {
  readonly content: ContentPiece;
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

/** The same bytes in as few parts as they can be, and with nothing in them that cannot be sent to a thread. */
function inFewer(parts: readonly Part[]): Part[] {
  const fewer: Part[] = [];
  let pending: Uint8Array[] = [];
  const flush = () => {
    if (pending.length > 0) fewer.push(Buffer.concat(pending));
    pending = [];
  };
  for (const part of parts) {
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

/** What cannot be cut is begun before everything that can, so that no long one is left over for the end. */
const WHOLE = 2 ** 52;

function rankOf({ whole, size }: ContentPiece): number {
  return whole === true ? WHOLE + size : size;
}

/** Segments of the content, each compressed on a thread of its own as soon as one is free, of large contents first. */
async function compressContent(
  content: ContentPiece,
  places: Places,
  compress: (segment: Chunks) => Promise<CompressedRun>,
): Promise<CompressedRun[]> {
  const runs: Promise<CompressedRun>[] = [];
  let failed = false;
  const begin = async (segment: Chunks) => {
    const leave = await places.take(rankOf(content));
    // What the first failure was is told below; the rest of the content is of no use.
    const run = failed ? Promise.reject(new Error('another segment failed')) : compress(segment);
    const done = run.finally(leave);
    done.catch(() => {
      failed = true;
    });
    runs.push(done);
    return { done };
  };
  if (content.whole === true) await begin(content.open());
  else await cutSegments(rechunk(content.open(), INPUT_SIZE), begin);
  return Promise.all(runs);
}

/** The content in segments of as many bytes; a segment is read when there is a place for it. */
async function inSegments<T>(
  content: ContentPiece,
  size: number,
  places: Places,
  compress: (bytes: Uint8Array) => Promise<T>,
): Promise<T[]> {
  const rank = rankOf(content);
  const made: Promise<T>[] = [];
  const segments = rechunk(content.open(), size);
  for (;;) {
    const leave = await places.take(rank);
    let segment: IteratorResult<Uint8Array, void>;
    try {
      segment = await segments.next();
    } catch (error) {
      leave();
      throw error;
    }
    if (segment.done) {
      leave();
      return Promise.all(made);
    }
    const one = compress(segment.value).finally(leave);
    one.catch(() => {});
    made.push(one);
  }
}
