/** Pulls a stream of chunks in pieces of the reader's choice. */
export interface ByteReader {
  /** `length` bytes, or fewer at the end of the stream; `length` is to be small. */
  take(length: number): Promise<Buffer>;
  /** The next `length` bytes as they come; ends early at the end of the stream. */
  stream(length: number): AsyncGenerator<Uint8Array, void>;
  /** Lets the stream go before its end. */
  close(): Promise<void>;
}

export function byteReader(chunks: AsyncIterable<Uint8Array>): ByteReader {
  const iterator = chunks[Symbol.asyncIterator]();
  let rest: Uint8Array = new Uint8Array();
  const some = async (most: number): Promise<Uint8Array> => {
    while (rest.length === 0) {
      const next = await iterator.next();
      if (next.done === true) return rest;
      rest = next.value;
    }
    const piece = rest.subarray(0, most);
    rest = rest.subarray(piece.length);
    return piece;
  };
  return {
    async take(length) {
      const pieces: Uint8Array[] = [];
      for (let left = length; left > 0; ) {
        const piece = await some(left);
        if (piece.length === 0) break;
        pieces.push(piece);
        left -= piece.length;
      }
      return Buffer.concat(pieces);
    },
    async *stream(length) {
      for (let left = length; left > 0; ) {
        const piece = await some(left);
        if (piece.length === 0) return;
        left -= piece.length;
        yield piece;
      }
    },
    async close() {
      await iterator.return?.();
    },
  };
}
