/**
 * The header structure (RPM V4 format, "Header"), used for the signature header and the header of a package: an index of
 * tags with their types, and a store with the values. The first index entry is the region tag. Its trailer at the end of
 * the store points back to the start of the index; digests and signatures cover the whole region.
 */

export const HEADER_MAGIC = Uint8Array.of(0x8e, 0xad, 0xe8, 0x01, 0, 0, 0, 0);
export const INTRO_LENGTH = 16;
export const INDEX_ENTRY_LENGTH = 16;

export const REGIONS = { signatures: 62, immutable: 63 } as const;
export type Region = keyof typeof REGIONS;

/** Value types and their numbers in the index. */
export const TYPES = {
  char: 1,
  int8: 2,
  int16: 3,
  int32: 4,
  int64: 5,
  string: 6,
  bin: 7,
  stringArray: 8,
  i18nString: 9,
} as const;

/** Size and alignment of integers in bytes. */
export const INTEGER_SIZES = { char: 1, int8: 1, int16: 2, int32: 4, int64: 8 } as const;

export type IntegerType = keyof typeof INTEGER_SIZES;
type StringType = 'string' | 'stringArray' | 'i18nString';

/** Numbers are unsigned, at most 2^53 - 1. */
export type HeaderValue =
  | { readonly type: IntegerType; readonly numbers: readonly number[] }
  | { readonly type: StringType; readonly strings: readonly string[] }
  | { readonly type: 'bin'; readonly bytes: Uint8Array };

export type HeaderEntry = readonly [tag: number, value: HeaderValue];

export const int16 = (numbers: readonly number[]): HeaderValue => ({ type: 'int16', numbers });
export const int32 = (numbers: readonly number[]): HeaderValue => ({ type: 'int32', numbers });
export const int64 = (numbers: readonly number[]): HeaderValue => ({ type: 'int64', numbers });
export const string = (text: string): HeaderValue => ({ type: 'string', strings: [text] });
export const stringArray = (strings: readonly string[]): HeaderValue => ({ type: 'stringArray', strings });
export const i18nString = (text: string): HeaderValue => ({ type: 'i18nString', strings: [text] });
export const bin = (bytes: Uint8Array): HeaderValue => ({ type: 'bin', bytes });

/**
 * Encodes a header: intro, index sorted by tag, store. Tags must be unique and values must not be empty.
 */
export function encodeHeader(region: Region, entries: readonly HeaderEntry[]): Uint8Array {
  const sorted = [...entries].sort(([a], [b]) => a - b);
  const index = Buffer.alloc((sorted.length + 1) * INDEX_ENTRY_LENGTH);
  const store: Uint8Array[] = [];
  let length = 0;
  const append = (bytes: Uint8Array, alignment: number): number => {
    const gap = (alignment - (length % alignment)) % alignment;
    store.push(new Uint8Array(gap), bytes);
    length += gap + bytes.length;
    return length - bytes.length;
  };
  for (const [position, [tag, value]] of sorted.entries()) {
    const offset = append(encodeValue(value), alignmentOf(value));
    writeIndexEntry(index, position + 1, [tag, TYPES[value.type], offset, itemCount(value)]);
  }
  const trailer = Buffer.alloc(INDEX_ENTRY_LENGTH);
  writeIndexEntry(trailer, 0, [REGIONS[region], TYPES.bin, -index.length, INDEX_ENTRY_LENGTH]);
  writeIndexEntry(index, 0, [REGIONS[region], TYPES.bin, append(trailer, 1), INDEX_ENTRY_LENGTH]);

  const intro = Buffer.alloc(INTRO_LENGTH);
  intro.set(HEADER_MAGIC);
  intro.writeUInt32BE(sorted.length + 1, 8);
  intro.writeUInt32BE(length, 12);
  return Buffer.concat([intro, index, ...store]);
}

function writeIndexEntry(index: Buffer, position: number, fields: readonly [number, number, number, number]): void {
  for (const [field, number] of fields.entries()) {
    index.writeInt32BE(number | 0, position * INDEX_ENTRY_LENGTH + field * 4);
  }
}

function alignmentOf(value: HeaderValue): number {
  return 'numbers' in value ? INTEGER_SIZES[value.type] : 1;
}

function itemCount(value: HeaderValue): number {
  if ('numbers' in value) return value.numbers.length;
  return 'strings' in value ? value.strings.length : value.bytes.length;
}

function encodeValue(value: HeaderValue): Uint8Array {
  if ('bytes' in value) {
    return value.bytes;
  }
  if ('strings' in value) {
    return Buffer.from(value.strings.map((text) => `${text}\0`).join(''));
  }
  const size = INTEGER_SIZES[value.type];
  const bytes = Buffer.alloc(value.numbers.length * size);
  for (const [position, number] of value.numbers.entries()) {
    if (size === 8) {
      bytes.writeBigUInt64BE(BigInt(number), position * size);
    } else {
      bytes.writeUIntBE(number, position * size, size);
    }
  }
  return bytes;
}
