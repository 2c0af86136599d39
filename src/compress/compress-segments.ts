import type { SourceContent } from '../archive/archive-source.ts';
import { type Chunks, rechunk } from '../archive/chunks.ts';
import type { AppendBytes } from './block-file.ts';
import { cutSegments } from './splice/segments.ts';
import { RESET } from './splice/zstd-blocks.ts';
import type { SlotQueue } from './threads/slot-queue.ts';

/**
 * Bytes passed to a compressor at a time: fixed, so that its output does not depend on the chunks of the input. A
 * multiple of zstd's 128 KiB blocks.
 */
export const INPUT_SIZE = 1 << 20;

/** Contents that cannot be split start first, so that no long compression runs alone at the end. */
const WHOLE_PRIORITY = 2 ** 52;

/** Larger contents start first. */
export function priorityOf({ whole, size }: SourceContent): number {
  return whole === true ? WHOLE_PRIORITY + size : size;
}

/** Bytes; smaller blocks are written together. */
const WRITE_SIZE = 1 << 20;

/**
 * Cuts the content at runs of equal bytes (splice/segments.ts) and compresses the segments in parallel, each on its own
 * thread. Appends the blocks in order, with a reset between segments. Blocks that are ready before their turn wait in
 * memory; there are few, because a segment starts only when almost all of the previous one has been read.
 *
 * @param compress compresses one segment and passes each block to `onBlock`
 * @returns the results of `compress` in order
 */
export async function compressSegments<T>(
  content: SourceContent,
  slots: SlotQueue,
  append: AppendBytes,
  compress: (segment: Chunks, onBlock: AppendBytes) => Promise<T>,
): Promise<T[]> {
  const results: Promise<T>[] = [];
  let failed = false;
  let previous: Promise<unknown> = Promise.resolve();
  const begin = async (segment: Chunks) => {
    const release = await slots.acquire(priorityOf(content));
    // Rethrows the failure: the rest of the content is not needed.
    if (failed) await Promise.all(results).finally(release);
    const appender = new OrderedAppender(append, previous);
    if (results.length > 0) await appender.append(RESET);
    const done = compress(segment, (block) => appender.append(block)).finally(release);
    const written = done.then(async (result) => {
      await appender.finish();
      return result;
    });
    written.catch(() => {
      failed = true;
    });
    previous = written;
    results.push(written);
    return { done };
  };
  if (content.whole === true) await begin(content.open());
  else await cutSegments(rechunk(content.open(), INPUT_SIZE), begin);
  return Promise.all(results);
}

/** Buffers blocks until the previous segment is written, and then writes small blocks together. */
class OrderedAppender {
  readonly #write: AppendBytes;
  readonly #previous: Promise<unknown>;
  #pending: Uint8Array[] = [];
  #size = 0;
  #isTurn = false;

  constructor(write: AppendBytes, previous: Promise<unknown>) {
    this.#write = write;
    this.#previous = previous;
    previous.then(
      () => {
        this.#isTurn = true;
      },
      () => {},
    );
  }

  async append(bytes: Uint8Array): Promise<void> {
    this.#pending.push(bytes);
    this.#size += bytes.length;
    if (this.#isTurn && this.#size >= WRITE_SIZE) await this.#flush();
  }

  async finish(): Promise<void> {
    await this.#previous;
    await this.#flush();
  }

  async #flush(): Promise<void> {
    const pending = this.#pending;
    this.#pending = [];
    this.#size = 0;
    await this.#write(Buffer.concat(pending));
  }
}

/** Compresses segments of `size` bytes in parallel. Reads a segment when a slot is free; handles results in order. */
export async function compressFixedSegments<T>(
  content: SourceContent,
  size: number,
  slots: SlotQueue,
  compress: (bytes: Uint8Array) => Promise<T>,
  handle: (result: T) => Promise<void>,
): Promise<void> {
  let handled = Promise.resolve();
  let failed = false;
  const segments = rechunk(content.open(), size);
  try {
    for (;;) {
      const release = await slots.acquire(priorityOf(content));
      const segment = failed
        ? undefined
        : await segments.next().catch((error) => {
            release();
            throw error;
          });
      if (segment === undefined || segment.done) {
        release();
        return await handled;
      }
      const result = compress(segment.value).finally(release);
      handled = Promise.all([result, handled]).then(([value]) => handle(value));
      handled.catch(() => {
        failed = true;
      });
    }
  } finally {
    await segments.return();
  }
}
