import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { collect } from '../../archive/chunks.ts';
import { compress, decompress } from '../../compress/compress.ts';
import type { Codec } from '../../model/compression.ts';
import { KubeparcelError } from '../../support/errors.ts';

const gzipAll = promisify(gzip);
/** Indices are read often and written often: the level from which on it takes several times as long for a few percent. */
const GZIP_LEVEL = 6;
const XZ_LEVEL = 2;
const ZSTD_LEVEL = 10;

/** Where gzip says what made it (RFC 1952, 2.3.1): Unix, whatever made it. */
const OS_OFFSET = 9;
const OS_UNIX = 3;

export type IndexCodec = 'gz' | 'xz' | 'zst';

/** Compresses a whole index; the same bytes give the same result. */
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

/** More than any index of this kind; less than what fits into a string. */
const MAX_UNPACKED = 256 << 20;
const CODECS: Readonly<Record<string, Codec>> = { gz: 'gzip', xz: 'xz', zst: 'zstd' };

/**
 * Unpacks an index by the end of its name.
 *
 * @throws KubeparcelError of kind 'format' for what is damaged or unpacks to more than 256 MiB
 */
export async function unpack(bytes: Uint8Array, name: string): Promise<Uint8Array> {
  const codec = CODECS[name.slice(name.lastIndexOf('.') + 1)] ?? 'none';
  const tooLong = () => new KubeparcelError('format', `unpacks to more than ${MAX_UNPACKED} bytes`, { where: name });
  return collect(decompress([bytes], codec, { maxBytes: MAX_UNPACKED }), MAX_UNPACKED, tooLong);
}
