import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip, type Gunzip, type Gzip } from 'node:zlib';
import { gzip as pakoGzip } from 'pako';
import type { Chunks } from '../../archive/chunks.ts';
import { KubeparcelError } from '../../support/errors.ts';

/** RFC 1952, 2.3.1: the operating system, Unix, whatever the machine that compresses is. */
const OS_OFFSET = 9;
const OS_UNIX = 3;

/** One gzip member at `level` 1-9, by Node's own zlib: its bytes may change with Node's version. */
export async function* gzip(chunks: Chunks, level: number): AsyncGenerator<Uint8Array, void, undefined> {
  const stream = createGzip({ level, chunkSize: 1 << 16 });
  let header = true;
  for await (const chunk of pump(chunks, stream)) {
    if (header) {
      chunk[OS_OFFSET] = OS_UNIX;
      header = false;
    }
    yield chunk;
  }
}

/** Unpacks gzip members that follow each other. */
export async function* gunzip(chunks: Chunks): AsyncGenerator<Uint8Array, void, undefined> {
  const stream = createGunzip({ chunkSize: 1 << 16 });
  let taken = 0;
  async function* counted() {
    for await (const chunk of chunks) {
      taken += chunk.length;
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
  // Node passes over what follows the last member.
  if (stream.bytesWritten !== taken) {
    throw new KubeparcelError('format', `${taken - stream.bytesWritten} bytes follow the gzip stream`);
  }
}

/**
 * Packs a small file as `gzip -9n` does: no name, no time, Unix. Done by pako, so that the bytes are the same on every
 * machine and with every Node.
 */
export function gzipSmall(bytes: Uint8Array): Uint8Array {
  const packed = pakoGzip(bytes, { level: 9 });
  packed[OS_OFFSET] = OS_UNIX;
  return packed;
}

/** Feeds chunks through a zlib stream with back-pressure on both sides; ends the source too when it is left early. */
async function* pump(chunks: Chunks, stream: Gzip | Gunzip): AsyncGenerator<Buffer, void, undefined> {
  const feeding = pipeline(chunks, stream).catch(() => {
    // The stream is destroyed with the same error, and the loop below throws it.
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
