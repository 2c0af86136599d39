import { collect } from '../archive/chunks.ts';
import type { Codec } from '../archive/codec.ts';
import { decompress } from '../archive/compress.ts';
import { KubeparcelError } from '../support/errors.ts';

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
