import type { FileHandle } from 'node:fs/promises';

/** Bytes that can be read anywhere, a few at a time. */
export interface RandomAccess {
  /** Bytes in all. */
  readonly size: number;
  /** Up to `length` bytes from `offset`; fewer only at the end. */
  read(offset: number, length: number): Promise<Buffer>;
}

/** A part of an open file. */
export function fileAccess(file: FileHandle, size: number, start = 0): RandomAccess {
  return {
    size,
    async read(offset, length) {
      const wanted = Math.max(0, Math.min(length, size - offset));
      const buffer = Buffer.alloc(wanted);
      let filled = 0;
      while (filled < wanted) {
        const { bytesRead } = await file.read(buffer, filled, wanted - filled, start + offset + filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return buffer.subarray(0, filled);
    },
  };
}

/** Streams `length` bytes from `offset`; ends early where the bytes do. */
export async function* streamRange(from: RandomAccess, offset: number, length: number): AsyncGenerator<Buffer> {
  const end = Math.min(from.size, offset + length);
  for (let position = offset; position < end; ) {
    const chunk = await from.read(position, Math.min(CHUNK, end - position));
    if (chunk.length === 0) return;
    position += chunk.length;
    yield chunk;
  }
}

const CHUNK = 1 << 18;
