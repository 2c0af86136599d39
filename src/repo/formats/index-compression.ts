import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { collect } from '../../archive/chunks.ts';
import { compress, decompress } from '../../compress/compress.ts';
import type { Codec } from '../../model/compression.ts';
import { KubeparcelError } from '../../support/errors.ts';

const gzipAll = promisify(gzip);
/** Higher levels take several times as long and save a few percent. */
const GZIP_LEVEL = 6;
const XZ_LEVEL = 2;
const ZSTD_LEVEL = 10;

/** Operating system byte of the gzip header (RFC 1952, 2.3.1), always Unix so that hosts give the same bytes. */
const OS_OFFSET = 9;
const OS_UNIX = 3;

export type IndexCodec = 'gz' | 'xz' | 'zst';

/** Compresses an index; deterministic. */
export async function pack(bytes: Uint8Array, codec: IndexCodec): Promise<Uint8Array> {
  if (codec === 'gz') {
    const packed = await gzipAll(bytes, { level: GZIP_LEVEL });
    packed[OS_OFFSET] = OS_UNIX;
    return packed;
  }
  const compression = codec === 'xz' ? { codec, level: XZ_LEVEL } : { codec: 'zstd' as const, level: ZSTD_LEVEL };
  const chunks: Uint8Array[] = [];
  for await (const chunk of compress([bytes], compression)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** More than any real index, less than the maximum length of a string. */
const MAX_UNPACKED = 256 << 20;
const CODECS: Readonly<Record<string, Codec>> = { gz: 'gzip', xz: 'xz', zst: 'zstd' };

/**
 * Decompresses an index; the suffix of its name determines the codec.
 *
 * @throws KubeparcelError of kind 'format' if it is damaged or larger than 256 MiB
 */
export async function unpack(bytes: Uint8Array, name: string): Promise<Uint8Array> {
  const codec = CODECS[name.slice(name.lastIndexOf('.') + 1)] ?? 'none';
  const tooLong = () =>
    new KubeparcelError('format', `larger than ${MAX_UNPACKED} bytes when decompressed`, { where: name });
  return collect(decompress([bytes], codec, { maxBytes: MAX_UNPACKED }), MAX_UNPACKED, tooLong);
}
