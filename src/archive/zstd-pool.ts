import type { Chunks } from './chunks.ts';
import { type FramePart, frameParts, windowDescriptorFor } from './zstd-frame.ts';
import { startZstdThread, type ZstdThread } from './zstd-library.ts';

/** The blocks of a frame of its own, none of them marked as the last one (RFC 8878, 3.1.1.2). */
export interface CompressedRun {
  /** The frame's window descriptor (3.1.1.1.2). */
  readonly window: number;
  readonly blocks: readonly Uint8Array[];
}

export interface ZstdPool {
  /** Threads, and so contexts of up to about 130 MB (level 19) each. */
  readonly size: number;
  /** Compresses a run of bytes as a frame of its own, as soon as a thread is free. Chunks are handed over. */
  compress(chunks: Chunks, level: number): Promise<CompressedRun>;
  /** A frame (RFC 8878, 3.1.1) of bytes that are in memory, without a checksum; with none of the memory of a stream. */
  frame(bytes: Uint8Array, level: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** Threads that compress, begun when they are first needed. */
export function createZstdPool(size: number): ZstdPool {
  const idle: ZstdThread[] = [];
  const all = new Set<ZstdThread>();
  const waiting: ((thread: ZstdThread) => void)[] = [];
  const start = (level: number) => {
    const thread = startZstdThread(level);
    all.add(thread);
    return thread;
  };
  const acquire = async (level: number): Promise<ZstdThread> => {
    const free = idle.pop();
    if (free !== undefined) return free;
    if (all.size < size) return start(level);
    return new Promise((resolve) => waiting.push(resolve));
  };
  const release = (thread: ZstdThread) => {
    const next = waiting.shift();
    if (next === undefined) idle.push(thread);
    else next(thread);
  };
  const withThread = async <T>(level: number, work: (thread: ZstdThread) => Promise<T>): Promise<T> => {
    const thread = await acquire(level);
    try {
      const result = await work(thread);
      release(thread);
      return result;
    } catch (error) {
      // It may be the thread that is broken: out of memory, for one.
      all.delete(thread);
      const next = waiting.shift();
      if (next !== undefined) next(start(level));
      await thread.close();
      throw error;
    }
  };
  return {
    size,
    compress: (chunks, level) =>
      withThread(level, async (thread) => {
        await thread.run({ call: 'begin', level });
        return runOf(frameParts(outputOf(thread, chunks)));
      }),
    frame: (bytes, level) =>
      withThread(level, async (thread) => {
        const [frame] = await thread.run({ call: 'frame', bytes, level });
        if (frame === undefined) throw new Error('libzstd gave no frame');
        return frame;
      }),
    async close() {
      await Promise.all([...all].map((thread) => thread.close()));
    },
  };
}

async function* outputOf(thread: ZstdThread, chunks: Chunks): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of chunks) {
    yield* await thread.run({ call: 'compress', chunk });
  }
  yield* await thread.run({ call: 'finish' });
}

/** The blocks of a frame (RFC 8878, 3.1.1). */
export async function runOf(parts: AsyncIterable<FramePart>): Promise<CompressedRun> {
  let window = 0;
  const blocks: Uint8Array[] = [];
  for await (const part of parts) {
    if (part.kind === 'header') {
      // A frame of a single segment has its content for a window.
      window = part.windowDescriptor ?? windowDescriptorFor(part.contentSize ?? 0);
    } else if (part.kind === 'block') {
      // libzstd ends a frame whose last input was whole blocks with an empty raw one.
      if (part.unpackedSize === 0) continue;
      part.bytes[0] = (part.bytes[0] ?? 0) & 0xfe;
      blocks.push(part.bytes);
    }
  }
  return { window, blocks };
}
