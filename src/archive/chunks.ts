/** Any source of bytes in chunks. */
export type Chunks = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/**
 * The same bytes in chunks of exactly `size` bytes, the last one shorter; no empty chunks. Every chunk is a buffer of
 * its own, so that it can be handed to another thread.
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

/** All bytes of a stream in one buffer; `tooLong` makes the error once there are more than `limit` bytes. */
export async function collect(chunks: Chunks, limit: number, tooLong: () => Error): Promise<Uint8Array> {
  const kept: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    length += chunk.length;
    if (length > limit) {
      throw tooLong();
    }
    kept.push(chunk);
  }
  return Buffer.concat(kept);
}
