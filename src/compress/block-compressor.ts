import { crc32 } from 'node:zlib';
import pLimit from 'p-limit';
import type { SourceContent } from '../archive/archive-source.ts';
import { type Chunks, rechunk } from '../archive/chunks.ts';
import { untilAborted } from '../support/abort.ts';
import type { AppendBytes, BlockFacts } from './block-file.ts';
import { xz } from './codecs/xz.ts';
import { withChecksum } from './codecs/zstd.ts';
import { frameParts } from './codecs/zstd-frame.ts';
import { compressFixedSegments, compressSegments, INPUT_SIZE, priorityOf } from './compress-segments.ts';
import type { CompressionThreads } from './compression-threads.ts';
import { deflateRun } from './splice/gzip-blocks.ts';
import { type XzRecord, type XzRun, xzRunOf } from './splice/xz-blocks.ts';
import { compressFrame, compressRun, runOf, type ZstdRun } from './splice/zstd-run.ts';
import { SlotQueue } from './threads/slot-queue.ts';

/** Bytes. */
const GZIP_SEGMENT_SIZE = 4 << 20;
/** Bytes; three times the dictionary of xz -6, which is also the block size of multithreaded xz. */
const XZ_SEGMENT_SIZE = 24 << 20;

/** Compresses contents into blocks that can be joined, several segments in parallel. Caches nothing. */
export class BlockCompressor {
  readonly #threads: CompressionThreads;
  readonly #signal: AbortSignal | undefined;
  readonly #slots: SlotQueue;
  /** A separate limit, because liblzma runs on its own threads. */
  readonly #xzLimit: ReturnType<typeof pLimit>;

  /**
   * @param jobs number of segments to compress in parallel
   * @param signal when aborted, nothing more is read or started
   */
  constructor(threads: CompressionThreads, jobs: number, signal: AbortSignal | undefined) {
    this.#threads = threads;
    this.#signal = signal;
    this.#slots = new SlotQueue(jobs, signal);
    this.#xzLimit = pLimit(jobs);
  }

  async zstd(content: SourceContent, level: number, append: AppendBytes): Promise<BlockFacts> {
    const windows = await compressSegments(content, this.#slots, append, (segment, onBlock) =>
      this.#threads.zstd.with((thread) => compressRun(thread, rechunk(segment, INPUT_SIZE), level, onBlock)),
    );
    return { windowDescriptor: Math.max(...windows) };
  }

  async xz(content: SourceContent, level: number, append: AppendBytes): Promise<BlockFacts> {
    const records: XzRecord[] = [];
    const handle = async (run: XzRun) => {
      records.push(...run.records);
      await append(run.bytes);
    };
    if (content.whole === true) {
      const release = await this.#slots.acquire(priorityOf(content));
      await handle(await this.xzRun(content.open(), level).finally(release));
    } else {
      const compress = (bytes: Uint8Array) => this.xzRun([bytes], level);
      await compressFixedSegments(content, XZ_SEGMENT_SIZE, this.#slots, compress, handle);
    }
    return { records };
  }

  async gzip(content: SourceContent, level: number, append: AppendBytes): Promise<BlockFacts> {
    const unpacked = { crc32: 0, size: 0 };
    let previous: Uint8Array = new Uint8Array();
    const compress = (bytes: Uint8Array) => {
      unpacked.crc32 = crc32(bytes, unpacked.crc32);
      unpacked.size += bytes.length;
      const run = deflateRun(bytes, level, previous);
      previous = bytes;
      return run;
    };
    await compressFixedSegments(content, GZIP_SEGMENT_SIZE, this.#slots, compress, append);
    return { unpacked };
  }

  async zstdRun(bytes: Uint8Array, level: number): Promise<ZstdRun> {
    return runOf(frameParts([await this.#smallFrame(bytes, level)]));
  }

  /** A whole zstd frame with a content checksum. */
  async zstdFrame(bytes: Uint8Array, level: number): Promise<Uint8Array> {
    return withChecksum(await this.#smallFrame(bytes, level), bytes);
  }

  xzRun(chunks: Chunks, level: number): Promise<XzRun> {
    return this.#xzLimit(async () => {
      this.#signal?.throwIfAborted();
      const stream: Uint8Array[] = [];
      const input = untilAborted(rechunk(chunks, INPUT_SIZE), this.#signal);
      for await (const chunk of xz(input, level)) stream.push(chunk);
      return xzRunOf(Buffer.concat(stream));
    });
  }

  #smallFrame(bytes: Uint8Array, level: number): Promise<Uint8Array> {
    return this.#threads.small.with((thread) => compressFrame(thread, bytes, level));
  }
}
