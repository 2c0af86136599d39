import type { Chunks } from '../../archive/chunks.ts';
import { findEqualRun } from './equal-run.ts';
import { RESET_BEFORE, RESET_OUTPUT } from './zstd-blocks.ts';

/** Bytes; a segment ends at the first possible position after this size. Makes a compressed kubelet 0.17% larger. */
const SEGMENT_SIZE = 16 << 20;
/** Bytes of a segment that may wait for its thread. */
const QUEUE_SIZE = 24 << 20;
const RUN_LENGTH = RESET_BEFORE + RESET_OUTPUT;

/**
 * Splits a stream into segments that can be compressed separately. Each segment except the last ends with RESET_BEFORE
 * equal bytes. The following RESET_OUTPUT bytes have the same value and belong to no segment, because a reset
 * (zstd-blocks.ts) produces them.
 *
 * @param chunks separate buffers
 * @param begin is called at the start of each segment, and delays reading until it resolves; `done` settles when the
 *   segment is processed, completely or not
 */
export async function cutSegments(
  chunks: Chunks,
  begin: (segment: AsyncIterable<Uint8Array>) => Promise<{ readonly done: Promise<unknown> }>,
  segmentSize = SEGMENT_SIZE,
): Promise<void> {
  let queue: ChunkQueue | undefined;
  let length = 0;
  // The last bytes may be the start of a run that continues in the next chunk.
  let tail: Uint8Array = new Uint8Array(0);
  const push = async (bytes: Uint8Array) => {
    if (bytes.length === 0) return;
    if (queue === undefined) {
      const begun = new ChunkQueue();
      queue = begun;
      const { done } = await begin(begun.chunks());
      // After the reader has failed, push must not wait for it.
      const abandon = () => begun.abandon();
      done.then(abandon, abandon);
    }
    length += bytes.length;
    await queue.push(bytes);
  };
  try {
    for await (const chunk of chunks) {
      let bytes = tail.length === 0 ? chunk : concat(tail, chunk);
      tail = new Uint8Array(0);
      for (;;) {
        const from = Math.max(0, segmentSize - length);
        const run = from < bytes.length ? findEqualRun(bytes, RUN_LENGTH, from) : -1;
        // A reset must be followed by another block.
        if (run === -1 || run + RUN_LENGTH === bytes.length) break;
        await push(bytes.slice(0, run + RESET_BEFORE));
        queue?.end();
        queue = undefined;
        length = 0;
        bytes = bytes.slice(run + RUN_LENGTH);
      }
      const keep = Math.min(bytes.length, RUN_LENGTH - 1);
      await push(bytes.slice(0, bytes.length - keep));
      tail = bytes.slice(bytes.length - keep);
    }
    await push(tail);
    queue?.end();
  } catch (error) {
    queue?.fail(error);
    throw error;
  }
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

/** Queues the bytes of a segment for the thread that compresses it. */
class ChunkQueue {
  readonly #chunks: Uint8Array[] = [];
  #size = 0;
  #state: 'open' | 'ended' | 'abandoned' | { readonly error: unknown } = 'open';
  #waiting: (() => void)[] = [];

  /** Waits while the queue is full. Does nothing if the reader has stopped. */
  async push(bytes: Uint8Array): Promise<void> {
    while (this.#size > QUEUE_SIZE && this.#state === 'open') await this.#changed();
    if (this.#state === 'abandoned') return;
    this.#chunks.push(bytes);
    this.#size += bytes.length;
    this.#notify();
  }

  /** Called when the reader has stopped. */
  abandon(): void {
    this.#chunks.length = 0;
    this.#setState('abandoned');
  }

  end(): void {
    if (this.#state === 'open') this.#setState('ended');
  }

  fail(error: unknown): void {
    this.#setState({ error });
  }

  async *chunks(): AsyncGenerator<Uint8Array, void, undefined> {
    for (;;) {
      if (typeof this.#state === 'object') throw this.#state.error;
      const bytes = this.#chunks.shift();
      if (bytes !== undefined) {
        this.#size -= bytes.length;
        this.#notify();
        yield bytes;
      } else if (this.#state === 'open') {
        await this.#changed();
      } else {
        return;
      }
    }
  }

  #setState(state: 'ended' | 'abandoned' | { readonly error: unknown }): void {
    this.#state = state;
    this.#notify();
  }

  #changed(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #notify(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }
}
