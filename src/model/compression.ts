import { KubeparcelError } from '../support/errors.ts';

/** Compressed streams as packages use them. */
export const CODECS = ['none', 'gzip', 'xz', 'zstd'] as const;
export type Codec = (typeof CODECS)[number];

/** `level`: gzip 1-9, xz 0-9, zstd 1-19; 0 for none. */
export interface Compression {
  readonly codec: Codec;
  readonly level: number;
}

const LEVELS: Readonly<Record<Codec, { readonly lowest: number; readonly usual: number; readonly highest: number }>> = {
  none: { lowest: 0, usual: 0, highest: 0 },
  gzip: { lowest: 1, usual: 9, highest: 9 },
  xz: { lowest: 0, usual: 6, highest: 9 },
  zstd: { lowest: 1, usual: 12, highest: 19 },
};

/**
 * Reads a compression as people write it: a codec's name, and a level after a colon where the usual one (gzip 9, xz 6,
 * zstd 12) will not do: `xz`, `zstd:19`, `none`.
 *
 * @throws KubeparcelError of kind 'usage' that lists the accepted spellings
 */
export function parseCompression(text: string): Compression {
  const [name, digits, ...rest] = text.split(':');
  const codec = CODECS.find((known) => known === name);
  if (codec !== undefined && rest.length === 0) {
    const { lowest, usual, highest } = LEVELS[codec];
    if (digits === undefined) {
      return { codec, level: usual };
    }
    const level = Number(digits);
    if (codec !== 'none' && /^\d{1,2}$/.test(digits) && level >= lowest && level <= highest) {
      return { codec, level };
    }
  }
  throw new KubeparcelError('usage', `no such compression: ${JSON.stringify(text)}`, {
    hint: `write one of ${CODECS.map(spelling).join(', ')}`,
  });
}

function spelling(codec: Codec): string {
  const { lowest, highest } = LEVELS[codec];
  return codec === 'none' ? codec : `${codec}[:${lowest}-${highest}]`;
}

/** How many bytes `detectCodec` wants to see. */
export const MAGIC_LENGTH = 6;

/**
 * Tells the codec of a stream from its first MAGIC_LENGTH bytes (fewer when the stream is shorter): RFC 1952 for gzip, the .xz file
 * format 1.2, RFC 8878 for zstd. What carries no known mark is taken as not compressed.
 *
 * @throws KubeparcelError of kind 'format' for bzip2 and lzma, which old packages use and kubeparcel does not read
 */
export function detectCodec(first: Uint8Array): Codec {
  const starts = (...magic: number[]) => magic.every((byte, index) => first[index] === byte);
  if (starts(0x1f, 0x8b)) return 'gzip';
  if (starts(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00)) return 'xz';
  if (starts(0x28, 0xb5, 0x2f, 0xfd)) return 'zstd';
  if (starts(0x42, 0x5a, 0x68)) throw unsupportedCodec('bzip2');
  if (starts(0x5d, 0x00, 0x00)) throw unsupportedCodec('lzma');
  return 'none';
}

/** The error for a package whose parts are compressed in a way that kubeparcel does not read. */
export function unsupportedCodec(name: string): KubeparcelError {
  return new KubeparcelError('format', `compressed with ${name}, which kubeparcel does not read`, {
    hint: 'repack it with gzip, xz or zstd',
  });
}
