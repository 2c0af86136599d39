import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { compress } from '../archive/compress.ts';

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

export function sha256(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}
