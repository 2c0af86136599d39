import type { Chunks } from './chunks.ts';

/** Reads a stream of chunks by numbers of bytes, without keeping more than one chunk and what is asked for. */
export interface ByteReader {
  /** The next `length` bytes in one buffer; for small lengths that the format bounds. */
  exactly(length: number): Promise<Uint8Array>;
  /** The next `length` bytes as they come. What is left unread can be read by iterating again. */
  stream(length: number): AsyncIterable<Uint8Array>;
  /** Everything up to the end. */
  rest(): AsyncIterable<Uint8Array>;
  /** Whether nothing is left. */
  ended(): Promise<boolean>;
  /** Lets go of the source, also one that is not read to its end. */
  close(): Promise<void>;
}

/** @param cutShort makes the error for a stream that ends `missing` bytes before what was asked for */
export function byteReader(chunks: Chunks, cutShort: (missing: number) => Error): ByteReader {
  const source = Symbol.asyncIterator in chunks ? chunks[Symbol.asyncIterator]() : chunks[Symbol.iterator]();
  let pending: Uint8Array = new Uint8Array(0);

  /** At most `limit` bytes, at least one; undefined at the end. */
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
          throw cutShort(length - filled);
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
              throw cutShort(left);
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
