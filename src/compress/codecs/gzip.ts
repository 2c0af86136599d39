import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip, type Gunzip, type Gzip } from 'node:zlib';
import { gzip as pakoGzip } from 'pako';
import type { Chunks } from '../../archive/chunks.ts';
import { KubeparcelError } from '../../support/errors.ts';

/** RFC 1952, 2.3.1: the operating system; always Unix, for reproducible output. */
const OS_OFFSET = 9;
const OS_UNIX = 3;

/** Compresses one gzip member at `level` 1-9 with Node's zlib. The bytes may change with the version of Node. */
export async function* gzip(chunks: Chunks, level: number): AsyncGenerator<Uint8Array, void, undefined> {
  const stream = createGzip({ level, chunkSize: 1 << 16 });
  let isFirst = true;
  for await (const chunk of pump(chunks, stream)) {
    if (isFirst) {
      chunk[OS_OFFSET] = OS_UNIX;
      isFirst = false;
    }
    yield chunk;
  }
}

/** Decompresses one or more gzip members. */
export async function* gunzip(chunks: Chunks): AsyncGenerator<Uint8Array, void, undefined> {
  const stream = createGunzip({ chunkSize: 1 << 16 });
  let read = 0;
  async function* counted() {
    for await (const chunk of chunks) {
      read += chunk.length;
      yield chunk;
    }
  }
  try {
    yield* pump(counted(), stream);
  } catch (error) {
    if (error instanceof Error && 'code' in error && /^Z_/.test(String(error.code))) {
      throw new KubeparcelError('format', `damaged gzip stream (${error.message})`, { cause: error });
    }
    throw error;
  }
  // Node ignores bytes after the last member.
  if (stream.bytesWritten !== read) {
    throw new KubeparcelError('format', `${read - stream.bytesWritten} trailing bytes after the gzip stream`);
  }
}

/**
 * Compresses a small file like `gzip -9n`: no name, no time, Unix. Uses pako, so that the bytes are the same on every
 * machine and with every version of Node.
 */
export function gzipSmall(bytes: Uint8Array): Uint8Array {
  const member = pakoGzip(bytes, { level: 9 });
  member[OS_OFFSET] = OS_UNIX;
  return member;
}

/** Pipes chunks through a zlib stream with back-pressure on both sides. Closes the source if the caller stops early. */
async function* pump(chunks: Chunks, stream: Gzip | Gunzip): AsyncGenerator<Buffer, void, undefined> {
  const feeding = pipeline(chunks, stream).catch(() => {
    // The loop below throws the same error.
  });
  try {
    for await (const chunk of stream) {
      yield chunk;
    }
  } finally {
    stream.destroy();
    await feeding;
  }
}
