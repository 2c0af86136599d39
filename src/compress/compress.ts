import { type Chunks, rechunk } from '../archive/chunks.ts';
import type { Codec, Compression } from '../model/compression.ts';
import { KubeparcelError } from '../support/errors.ts';
import { gunzip, gzip } from './codecs/gzip.ts';
import { unxz, xz } from './codecs/xz.ts';
import { unzstd, zstd } from './codecs/zstd.ts';

/**
 * What every compressor is fed, so that its output depends on the bytes alone and not on how they were cut; a multiple
 * of zstd's 128 KiB blocks.
 */
const INPUT_SIZE = 1 << 20;

/**
 * Compresses a stream as one gzip member (RFC 1952, without name and time), one xz stream or one zstd frame (RFC 8878,
 * with a content checksum): dpkg stops at the end of the first. The work is done off the main thread and in bounded
 * memory; xz and zstd give the same bytes on every machine.
 *
 * @throws KubeparcelError of kind 'io' where liblzma cannot be loaded on this machine; the signal's reason when it is aborted
 */
export async function* compress(
  chunks: Chunks,
  compression: Compression,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  const input = untilAborted(rechunk(chunks, INPUT_SIZE), signal);
  switch (compression.codec) {
    case 'none':
      yield* input;
      return;
    case 'gzip':
      yield* gzip(input, compression.level);
      return;
    case 'xz':
      yield* xz(input, compression.level);
      return;
    case 'zstd':
      yield* zstd(input, compression.level);
      return;
  }
}

/**
 * Decompresses a stream in bounded memory, and checks the checksums that it carries. Bytes that follow the xz stream or
 * zstd frame, or that follow the last gzip member, are an error.
 *
 * @param options.maxBytes refuse a stream that unpacks to more
 * @throws KubeparcelError of kind 'format' for damaged, truncated or too large input
 */
export async function* decompress(
  chunks: Chunks,
  codec: Codec,
  options: { readonly maxBytes?: number } = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const limit = options.maxBytes ?? Number.POSITIVE_INFINITY;
  let length = 0;
  for await (const chunk of decoder(chunks, codec)) {
    length += chunk.length;
    if (length > limit) {
      throw new KubeparcelError('format', `unpacks to more than ${limit} bytes`, {
        hint: 'do not use it if it was not made by someone you trust',
      });
    }
    if (chunk.length > 0) {
      yield chunk;
    }
  }
}

function decoder(chunks: Chunks, codec: Codec): Chunks {
  switch (codec) {
    case 'none':
      return chunks;
    case 'gzip':
      return gunzip(chunks);
    case 'xz':
      return unxz(chunks);
    case 'zstd':
      return unzstd(chunks);
  }
}

async function* untilAborted(chunks: AsyncIterable<Uint8Array>, signal: AbortSignal | undefined) {
  signal?.throwIfAborted();
  for await (const chunk of chunks) {
    signal?.throwIfAborted();
    yield chunk;
  }
}
