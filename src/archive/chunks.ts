/** A stream of bytes. */
export type Chunks = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/**
 * Splits a stream into chunks of exactly `size` bytes; the last one may be shorter. Each chunk has its own buffer, so that
 * it can be transferred to a thread.
 */
export async function* rechunk(chunks: Chunks, size: number): AsyncGenerator<Uint8Array, void, undefined> {
  let block = new Uint8Array(size);
  let filled = 0;
  for await (const chunk of chunks) {
    for (let offset = 0; offset < chunk.length; ) {
      const taken = Math.min(size - filled, chunk.length - offset);
      block.set(chunk.subarray(offset, offset + taken), filled);
      filled += taken;
      offset += taken;
      if (filled === size) {
        yield block;
        block = new Uint8Array(size);
        filled = 0;
      }
    }
  }
  if (filled > 0) {
    yield block.slice(0, filled);
  }
}

/** Reads a stream into one buffer; throws the error that `tooLong` returns after more than `limit` bytes. */
export async function collect(chunks: Chunks, limit: number, tooLong: () => Error): Promise<Uint8Array> {
  const collected: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    length += chunk.length;
    if (length > limit) {
      throw tooLong();
    }
    collected.push(chunk);
  }
  return Buffer.concat(collected);
}
