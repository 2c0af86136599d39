import { byteReader } from '../../archive/byte-reader.ts';
import type { Chunks } from '../../archive/chunks.ts';
import { KubeparcelError } from '../../support/errors.ts';

/** Maximum size in bytes of a decompressed block (RFC 8878, 3.1.1.2.4). */
export const MAX_BLOCK_SIZE = 128 << 10;

/** Default limit of libzstd, and therefore of dpkg and rpm. */
const MAX_WINDOW_SIZE = 128 << 20;

const MAGIC = 0xfd2fb528;

/** Block types (3.1.1.2.2); 0 is a raw block. */
const RLE = 1;
const COMPRESSED = 2;
const RESERVED = 3;

export interface FrameHeader {
  readonly bytes: Uint8Array;
  readonly contentSize: number | undefined;
  /** 3.1.1.1.2; undefined for a single segment frame. */
  readonly windowDescriptor: number | undefined;
  readonly hasChecksum: boolean;
}

export interface FrameBlock {
  /** Including the block header of three bytes. */
  readonly bytes: Uint8Array;
  /** Decompressed size in bytes; known for raw and RLE blocks. */
  readonly unpackedSize: number | undefined;
}

/** A part of a zstd frame. */
export type FramePart =
  | ({ readonly kind: 'header' } & FrameHeader)
  | ({ readonly kind: 'block' } & FrameBlock)
  /** Low 32 bits of the XXH64 of the content. */
  | { readonly kind: 'checksum'; readonly value: number };

/**
 * Splits a stream with exactly one zstd frame (RFC 8878, 3.1.1) into its parts, without decompressing them.
 *
 * @throws KubeparcelError of kind 'format' for a truncated frame, trailing bytes, a dictionary, or a window of more than
 *   128 MiB
 */
export async function* frameParts(chunks: Chunks): AsyncGenerator<FramePart, void, undefined> {
  const reader = byteReader(chunks, () => new KubeparcelError('format', 'truncated zstd frame'));
  const take = async (length: number) => Buffer.from((await reader.exactly(length)).buffer);
  try {
    const start = await take(5);
    if (start.readUInt32LE(0) !== MAGIC) {
      throw new KubeparcelError('format', 'not a zstd frame');
    }
    const descriptor = start.readUInt8(4);
    const header = parseHeader(descriptor, Buffer.concat([start, await take(headerLength(descriptor) - start.length)]));
    yield { kind: 'header', ...header };
    for (let last = false; !last; ) {
      const head = await take(3);
      const fields = head.readUIntLE(0, 3);
      last = (fields & 1) === 1;
      const type = (fields >> 1) & 3;
      const size = fields >> 3;
      if (type === RESERVED || size > MAX_BLOCK_SIZE) {
        throw new KubeparcelError('format', 'damaged zstd frame (invalid block)');
      }
      const bytes = Buffer.concat([head, await take(type === RLE ? 1 : size)]);
      yield { kind: 'block', bytes, unpackedSize: type === COMPRESSED ? undefined : size };
    }
    if (header.hasChecksum) {
      yield { kind: 'checksum', value: (await take(4)).readUInt32LE(0) };
    }
    for await (const _ of reader.rest()) {
      throw new KubeparcelError('format', 'trailing bytes after the zstd frame');
    }
  } finally {
    await reader.close();
  }
}

const CONTENT_SIZE_LENGTHS = [0, 2, 4, 8];

/** Length of magic number and header, by the frame header descriptor (3.1.1.1.1). */
function headerLength(descriptor: number): number {
  const single = (descriptor & 0x20) !== 0;
  const contentSize = single && descriptor >> 6 === 0 ? 1 : (CONTENT_SIZE_LENGTHS[descriptor >> 6] ?? 0);
  return 5 + (single ? 0 : 1) + contentSize;
}

function parseHeader(descriptor: number, bytes: Buffer): FrameHeader {
  if ((descriptor & 0x0b) !== 0) {
    throw new KubeparcelError('format', 'unsupported zstd frame (reserved flag or dictionary)');
  }
  const single = (descriptor & 0x20) !== 0;
  const sizeOffset = single ? 5 : 6;
  const sizeLength = bytes.length - sizeOffset;
  let contentSize: number | undefined;
  if (sizeLength === 8) {
    contentSize = Number(bytes.readBigUInt64LE(sizeOffset));
  } else if (sizeLength > 0) {
    contentSize = bytes.readUIntLE(sizeOffset, sizeLength) + (sizeLength === 2 ? 256 : 0);
  }
  const window = single ? (contentSize ?? 0) : windowSize(bytes.readUInt8(5));
  if (window > MAX_WINDOW_SIZE) {
    throw new KubeparcelError(
      'format',
      `unsupported zstd frame (window of ${window} bytes; the limit is ${MAX_WINDOW_SIZE})`,
    );
  }
  const windowDescriptor = single ? undefined : bytes.readUInt8(5);
  return { bytes, contentSize, windowDescriptor, hasChecksum: (descriptor & 0x04) !== 0 };
}

/** Window size in bytes of a window descriptor (3.1.1.1.2). */
export function windowSize(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3));
  return base + (base / 8) * (descriptor & 7);
}

/** The descriptor of the smallest window of at least `size` bytes. */
export function windowDescriptorFor(size: number): number {
  let descriptor = 0;
  while (windowSize(descriptor) < size) descriptor += 1;
  return descriptor;
}
