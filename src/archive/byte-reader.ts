import type { Chunks } from './chunks.ts';

/** Reads a given number of bytes at a time from a stream of chunks. Buffers at most one chunk and the requested bytes. */
export interface ByteReader {
  /** The next `length` bytes in one buffer; only for small lengths. */
  exactly(length: number): Promise<Uint8Array>;
  /** The next `length` bytes as a stream. Iterating again continues where the last iteration stopped. */
  stream(length: number): AsyncIterable<Uint8Array>;
  /** All remaining bytes. */
  rest(): AsyncIterable<Uint8Array>;
  /** Whether the stream is at its end. */
  ended(): Promise<boolean>;
  /** Closes the source, even if it has not ended. */
  close(): Promise<void>;
}

/** @param truncated creates the error for a stream that ends `missing` bytes too early */
export function byteReader(chunks: Chunks, truncated: (missing: number) => Error): ByteReader {
  const source = Symbol.asyncIterator in chunks ? chunks[Symbol.asyncIterator]() : chunks[Symbol.iterator]();
  let pending: Uint8Array = new Uint8Array(0);

  /** 1 to `limit` bytes; undefined at the end. */
  async function some(limit: number): Promise<Uint8Array | undefined> {
    while (pending.length === 0) {
      const next = await source.next();
      if (next.done) {
        return undefined;
      }
      pending = next.value;
    }
    const taken = pending.subarray(0, limit);
    pending = pending.subarray(taken.length);
    return taken;
  }

  return {
    async exactly(length) {
      const bytes = new Uint8Array(length);
      for (let filled = 0; filled < length; ) {
        const part = await some(length - filled);
        if (part === undefined) {
          throw truncated(length - filled);
        }
        bytes.set(part, filled);
        filled += part.length;
      }
      return bytes;
    },
    stream(length) {
      let left = length;
      return {
        async *[Symbol.asyncIterator]() {
          while (left > 0) {
            const part = await some(left);
            if (part === undefined) {
              throw truncated(left);
            }
            left -= part.length;
            yield part;
          }
        },
      };
    },
    async *rest() {
      for (;;) {
        const part = await some(Number.MAX_SAFE_INTEGER);
        if (part === undefined) {
          return;
        }
        yield part;
      }
    },
    async ended() {
      const part = await some(Number.MAX_SAFE_INTEGER);
      pending = part ?? pending;
      return part === undefined;
    },
    async close() {
      await source.return?.();
    },
  };
}
