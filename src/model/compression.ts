import { KubeparcelError } from '../support/errors.ts';

/** Compression formats of packages. */
export const CODECS = ['none', 'gzip', 'xz', 'zstd'] as const;
export type Codec = (typeof CODECS)[number];

/** `level`: gzip 1-9, xz 0-9, zstd 1-19; 0 for none. */
export interface Compression {
  readonly codec: Codec;
  readonly level: number;
}

const LEVELS: Readonly<Record<Codec, { readonly lowest: number; readonly default: number; readonly highest: number }>> =
  {
    none: { lowest: 0, default: 0, highest: 0 },
    gzip: { lowest: 1, default: 9, highest: 9 },
    xz: { lowest: 0, default: 6, highest: 9 },
    zstd: { lowest: 1, default: 12, highest: 19 },
  };

/**
 * Parses a codec with an optional level: `xz`, `zstd:19`, `none`. Default levels: gzip 9, xz 6, zstd 12.
 *
 * @throws KubeparcelError of kind 'usage' that lists the valid values
 */
export function parseCompression(text: string): Compression {
  const [name, digits, ...rest] = text.split(':');
  const codec = CODECS.find((known) => known === name);
  if (codec !== undefined && rest.length === 0) {
    const { lowest, default: defaultLevel, highest } = LEVELS[codec];
    if (digits === undefined) {
      return { codec, level: defaultLevel };
    }
    const level = Number(digits);
    if (codec !== 'none' && /^\d{1,2}$/.test(digits) && level >= lowest && level <= highest) {
      return { codec, level };
    }
  }
  throw new KubeparcelError('usage', `unknown compression ${JSON.stringify(text)}`, {
    hint: `use one of ${CODECS.map(syntaxOf).join(', ')}`,
  });
}

function syntaxOf(codec: Codec): string {
  const { lowest, highest } = LEVELS[codec];
  return codec === 'none' ? codec : `${codec}[:${lowest}-${highest}]`;
}

/** Number of bytes that detectCodec needs. */
export const MAGIC_LENGTH = 6;

/**
 * Detects the codec of a stream by its magic number (RFC 1952, The .xz File Format 1.2, RFC 8878); `none` if
 * there is no known magic number.
 *
 * @param first first MAGIC_LENGTH bytes, or fewer if the stream is shorter
 * @throws KubeparcelError of kind 'format' for bzip2 and lzma, which old packages use and kubeparcel does not support
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

/** The error for a package with an unsupported compression. */
export function unsupportedCodec(name: string): KubeparcelError {
  return new KubeparcelError('format', `unsupported compression: ${name}`, {
    hint: 'repack it with gzip, xz or zstd',
  });
}
