import { crc32 } from 'node:zlib';

/**
 * Joins separately compressed blocks into an xz stream (The .xz File Format 1.2.0). Blocks are independent of each other;
 * the index after them lists their sizes.
 */

/** Length of the stream header and of the footer (2.1.1, 2.1.2). */
const HEADER_LENGTH = 12;
/** Stream flags: the check is CRC64 (2.1.1.2). */
const FLAGS_CRC64 = Buffer.from([0x00, 0x04]);
const HEADER_MAGIC = Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]);
const FOOTER_MAGIC = Buffer.from('YZ');

/** The record of a block in the index (4.3). */
export interface XzRecord {
  /** Size of the block in bytes without padding. */
  readonly unpadded: number;
  /** Decompressed size in bytes. */
  readonly uncompressed: number;
}

export interface XzRun {
  /** The blocks with their padding. */
  readonly bytes: Uint8Array;
  readonly records: readonly XzRecord[];
}

/** The stream header (2.1.1). */
export function streamHeader(): Uint8Array {
  return Buffer.concat([HEADER_MAGIC, FLAGS_CRC64, uint32(crc32(FLAGS_CRC64))]);
}

/** The index (4) and the footer (2.1.2) of a stream with these blocks. */
export function streamEnd(records: readonly XzRecord[]): Uint8Array {
  const list = records.flatMap(({ unpadded, uncompressed }) => [...integer(unpadded), ...integer(uncompressed)]);
  const bytes = [0x00, ...integer(records.length), ...list];
  while (bytes.length % 4 !== 0) bytes.push(0);
  const index = Buffer.from(bytes);
  const backward = Buffer.concat([uint32((index.length + 4) / 4 - 1), FLAGS_CRC64]);
  return Buffer.concat([index, uint32(crc32(index)), uint32(crc32(backward)), backward, FOOTER_MAGIC]);
}

/** The blocks of a whole stream with CRC64, as liblzma writes it. */
export function xzRunOf(stream: Uint8Array): XzRun {
  const bytes = Buffer.from(stream.buffer, stream.byteOffset, stream.length);
  if (!bytes.subarray(0, HEADER_LENGTH).equals(Buffer.from(streamHeader()))) {
    throw new Error('liblzma wrote an unexpected stream header');
  }
  const indexLength = (bytes.readUInt32LE(bytes.length - 8) + 1) * 4;
  const indexAt = bytes.length - HEADER_LENGTH - indexLength;
  let at = indexAt + 1;
  const read = (): number => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = bytes.readUInt8(at);
      at += 1;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
  };
  const records = Array.from({ length: read() }, (): XzRecord => ({ unpadded: read(), uncompressed: read() }));
  return { bytes: bytes.subarray(HEADER_LENGTH, indexAt), records };
}

/** A variable-length integer (1.2): seven bits per byte, lowest first. */
function integer(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  return [...bytes, rest];
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes;
}
