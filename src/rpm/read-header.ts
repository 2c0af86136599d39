import { KubeparcelError } from '../support/errors.ts';
import {
  HEADER_MAGIC,
  INDEX_ENTRY_LENGTH,
  INTEGER_SIZES,
  INTRO_LENGTH,
  type IntegerType,
  REGIONS,
  type Region,
  TYPES,
} from './header.ts';

/** A header read from a package. `bytes` are covered by digests; `values` are encoded values by tag. */
export interface Header {
  readonly bytes: Uint8Array;
  /** In index order. */
  readonly values: ReadonlyMap<number, EncodedValue>;
}

export interface EncodedValue {
  readonly type: keyof typeof TYPES;
  /** Number of integers, strings or bytes. */
  readonly count: number;
  readonly bytes: Uint8Array;
}

/** At most rpm's limits (lib/header.c). A package with 100,000 files needs a tenth of this. */
const LIMITS = {
  signatures: { entries: 32, store: 64 << 20 },
  immutable: { entries: 0xffff, store: 128 << 20 },
} as const;
const ARRAY_MAX = 0xfffff;
const LOWEST_TAG = 100;
/** Tag in the region trailer of very old signature headers. */
const REGION_IMAGE = 61;

/**
 * The length of index and store after the intro, in bytes.
 *
 * @param intro INTRO_LENGTH bytes
 * @throws KubeparcelError of kind 'format' for a wrong magic and for sizes beyond rpm's limits
 */
export function bodyLength(intro: Uint8Array, region: Region): number {
  if (!HEADER_MAGIC.every((byte, index) => intro[index] === byte)) {
    throw badHeader(region, 'has a wrong magic number');
  }
  const { entries, store } = sizes(intro);
  const limits = LIMITS[region];
  if (entries < 1 || entries > limits.entries || store > limits.store) {
    throw badHeader(region, `has ${entries} entries and ${store} bytes of values, which is outside rpm's limits`);
  }
  return entries * INDEX_ENTRY_LENGTH + store;
}

/**
 * Decodes the index of a header with the same checks as rpm: the region covers everything, types and alignments are
 * valid, and values are in index order and do not overlap.
 *
 * @param bytes intro, index and store
 * @throws KubeparcelError of kind 'format'
 */
export function decodeHeader(bytes: Uint8Array, region: Region): Header {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const { entries, store: storeLength } = sizes(bytes);
  const store = bytes.subarray(INTRO_LENGTH + entries * INDEX_ENTRY_LENGTH);
  const storeEnd = checkRegion(view, store, entries, region);
  const values = new Map<number, EncodedValue>();
  let end = 0;
  for (let position = 1; position < entries; position++) {
    const entry = readIndexEntry(view, INTRO_LENGTH + position * INDEX_ENTRY_LENGTH);
    const where = `tag ${entry.tag}`;
    if (entry.tag < LOWEST_TAG || values.has(entry.tag)) {
      throw badHeader(region, `has ${where} ${values.has(entry.tag) ? 'twice' : 'outside the region'}`);
    }
    const type = TYPE_NAMES.get(entry.type);
    if (type === undefined) {
      throw badHeader(region, `has the unknown type ${entry.type} for ${where}`);
    }
    const { offset, count } = entry;
    if (offset < end || offset > storeEnd || offset % alignmentOf(type) !== 0) {
      throw badHeader(region, `has a misplaced value for ${where}`);
    }
    if (count < 1 || count > storeLength || (type !== 'bin' && count > ARRAY_MAX)) {
      throw badHeader(region, `has an invalid count of ${count} for ${where}`);
    }
    // No digest covers the signature header, so unused bytes must be zero.
    if (region === 'signatures' && store.subarray(end, offset).some((byte) => byte !== 0)) {
      throw badHeader(region, `has unused bytes that are not zero before ${where}`);
    }
    const length = valueLength(store, offset, type, count, storeEnd);
    if (length === undefined) {
      throw badHeader(region, `has a value with no end for ${where}`);
    }
    end = offset + length;
    values.set(entry.tag, { type, count, bytes: store.subarray(offset, end) });
  }
  if (region === 'signatures' && store.subarray(end, storeEnd).some((byte) => byte !== 0)) {
    throw badHeader(region, 'has unused bytes that are not zero');
  }
  return { bytes, values };
}

/** The numbers of a tag; undefined if the header does not have the tag. */
export function numbersOf(header: Header, tag: number): number[] | undefined {
  const value = header.values.get(tag);
  if (value === undefined) {
    return undefined;
  }
  const { type, bytes, count } = value;
  if (!isInteger(type)) {
    throw badHeader('immutable', `has a value that is not a number for tag ${tag}`);
  }
  const size = INTEGER_SIZES[type];
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return Array.from({ length: count }, (_, item) => {
    const number = size === 8 ? Number(buffer.readBigUInt64BE(item * 8)) : buffer.readUIntBE(item * size, size);
    if (!Number.isSafeInteger(number)) {
      throw badHeader('immutable', `has a number above 2^53 - 1 for tag ${tag}`);
    }
    return number;
  });
}

/** The first number of a tag. */
export function numberOf(header: Header, tag: number): number | undefined {
  return numbersOf(header, tag)?.[0];
}

/** The strings of a tag; undefined if the header does not have the tag. */
export function textsOf(header: Header, tag: number): string[] | undefined {
  return rawStringsOf(header, tag)?.map(decodeText);
}

/** The first string of a tag; of translations, the one for locale C. */
export function textOf(header: Header, tag: number): string | undefined {
  return textsOf(header, tag)?.[0];
}

/** The strings of a tag as latin1 (one character per byte), for comparing bytes. */
export function rawStringsOf(header: Header, tag: number): string[] | undefined {
  const value = header.values.get(tag);
  if (value === undefined) {
    return undefined;
  }
  if (value.type === 'bin' || isInteger(value.type)) {
    throw badHeader('immutable', `has a value that is not a string for tag ${tag}`);
  }
  return latin1(value.bytes).split('\0').slice(0, value.count);
}

/** Decodes latin1 characters as UTF-8 bytes. Invalid UTF-8 (in packages before about 2015) stays latin1. */
export function decodeText(raw: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(raw, 'latin1'));
  } catch {
    return raw;
  }
}

export function badHeader(region: Region, what: string): KubeparcelError {
  const name = region === 'signatures' ? 'the signature header' : 'the header';
  return new KubeparcelError('format', `${name} ${what}`);
}

const TYPE_NAMES: ReadonlyMap<number, EncodedValue['type']> = new Map(
  Object.entries(TYPES).map(([name, number]) => [number, name as EncodedValue['type']]),
);

interface IndexEntry {
  readonly tag: number;
  readonly type: number;
  readonly offset: number;
  readonly count: number;
}

function sizes(intro: Uint8Array): { readonly entries: number; readonly store: number } {
  const view = new DataView(intro.buffer, intro.byteOffset, INTRO_LENGTH);
  return { entries: view.getUint32(8), store: view.getUint32(12) };
}

function readIndexEntry(view: DataView, at: number): IndexEntry {
  return {
    tag: view.getUint32(at),
    type: view.getUint32(at + 4),
    offset: view.getInt32(at + 8),
    count: view.getUint32(at + 12),
  };
}

/** The offset of the region trailer in the store, where the values end. */
function checkRegion(view: DataView, store: Uint8Array, entries: number, region: Region): number {
  const isRegion = ({ tag, type, count }: IndexEntry) =>
    tag === REGIONS[region] && type === TYPES.bin && count === INDEX_ENTRY_LENGTH;
  const first = readIndexEntry(view, INTRO_LENGTH);
  if (!isRegion(first) || first.offset !== store.length - INDEX_ENTRY_LENGTH || first.offset < 0) {
    throw badHeader(region, 'has no region tag over the whole header');
  }
  const trailer = readIndexEntry(view, view.byteLength - INDEX_ENTRY_LENGTH);
  const tag = trailer.tag === REGION_IMAGE && region === 'signatures' ? REGIONS.signatures : trailer.tag;
  if (!isRegion({ ...trailer, tag }) || trailer.offset !== -entries * INDEX_ENTRY_LENGTH) {
    throw badHeader(region, 'has an invalid region trailer');
  }
  return first.offset;
}

function isInteger(type: EncodedValue['type']): type is IntegerType {
  return type in INTEGER_SIZES;
}

function alignmentOf(type: EncodedValue['type']): number {
  return isInteger(type) ? INTEGER_SIZES[type] : 1;
}

/** The size of a value in bytes; undefined if it exceeds the store. */
function valueLength(
  store: Uint8Array,
  offset: number,
  type: EncodedValue['type'],
  count: number,
  storeEnd: number,
): number | undefined {
  let end = offset;
  if (type === 'bin' || isInteger(type)) {
    end += count * (type === 'bin' ? 1 : INTEGER_SIZES[type]);
  } else if (type === 'string' && count !== 1) {
    return undefined;
  } else {
    for (let item = 0; item < count; item++) {
      const zero = store.indexOf(0, end);
      if (zero < 0) {
        return undefined;
      }
      end = zero + 1;
    }
  }
  return end > storeEnd ? undefined : end - offset;
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}
