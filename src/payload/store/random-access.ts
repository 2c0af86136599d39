import type { FileHandle } from 'node:fs/promises';

/** Bytes that can be read at any offset. */
export interface RandomAccess {
  /** Total number of bytes. */
  readonly size: number;
  /** Up to `length` bytes from `offset`; fewer only at the end. */
  read(offset: number, length: number): Promise<Buffer>;
}

/** The first `size` bytes of an open file. */
export function fileAccess(file: FileHandle, size: number): RandomAccess {
  return {
    size,
    async read(offset, length) {
      const buffer = Buffer.alloc(Math.max(0, Math.min(length, size - offset)));
      let filled = 0;
      while (filled < buffer.length) {
        const { bytesRead } = await file.read(buffer, filled, buffer.length - filled, offset + filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return buffer.subarray(0, filled);
    },
  };
}

const CHUNK = 1 << 18;

/** Streams `length` bytes from `offset`; ends early at the end of the bytes. */
export async function* streamRange(from: RandomAccess, offset: number, length: number): AsyncGenerator<Buffer> {
  const end = Math.min(from.size, offset + length);
  for (let position = offset; position < end; ) {
    const chunk = await from.read(position, Math.min(CHUNK, end - position));
    if (chunk.length === 0) return;
    position += chunk.length;
    yield chunk;
  }
}
