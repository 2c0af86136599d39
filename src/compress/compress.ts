import { type Chunks, rechunk } from '../archive/chunks.ts';
import type { Codec, Compression } from '../model/compression.ts';
import { untilAborted } from '../support/abort.ts';
import { KubeparcelError } from '../support/errors.ts';
import { gunzip, gzip } from './codecs/gzip.ts';
import { unxz, xz } from './codecs/xz.ts';
import { unzstd, zstd } from './codecs/zstd.ts';
import { INPUT_SIZE } from './compress-segments.ts';

/**
 * Compresses a stream as one gzip member (RFC 1952, without name and time), one xz stream or one zstd frame (RFC 8878,
 * with a content checksum); dpkg stops at the end of the first one. Works off the main thread and in bounded memory. xz
 * and zstd give the same bytes on every machine.
 *
 * @throws KubeparcelError of kind 'io' if liblzma cannot be loaded; the reason of the signal after an abort
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
 * Decompresses a stream in bounded memory and verifies its checksums. Bytes after the xz stream, the zstd frame or the
 * last gzip member are an error.
 *
 * @param options.maxBytes maximum decompressed size
 * @throws KubeparcelError of kind 'format' for damaged, truncated or too large input
 */
export async function* decompress(
  chunks: Chunks,
  codec: Codec,
  options: { readonly maxBytes?: number | undefined } = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const limit = options.maxBytes ?? Number.POSITIVE_INFINITY;
  let length = 0;
  for await (const chunk of decoder(chunks, codec)) {
    length += chunk.length;
    if (length > limit) {
      throw new KubeparcelError('format', `decompressed size exceeds ${limit} bytes`, {
        hint: 'use only files from sources that you trust',
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
