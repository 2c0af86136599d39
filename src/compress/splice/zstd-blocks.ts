import { MAX_BLOCK_SIZE } from '../codecs/zstd-frame.ts';

/**
 * Frames put together from blocks that were compressed apart (RFC 8878, 3.1.1.2). Blocks that an encoder made at the
 * start of a frame can follow any other block when two things are as they are there: the repeat offsets are 1, 4 and 8
 * (3.1.1.5), and they ask for no earlier tables, which an encoder cannot do there. Raw blocks change neither.
 */

/** Block types (3.1.1.2.2). */
const RAW = 0;
const COMPRESSED = 2;

/** Equal bytes that must stand before a reset. */
export const RESET_BEFORE = 8;
/** Bytes that a reset puts out: more of the same. */
export const RESET_OUTPUT = 24;

/**
 * Three blocks of one sequence each that bring the repeat offsets back to 1, 4 and 8. A sequence copies eight bytes from
 * 8, 4 and 1 bytes before; in a run of equal bytes it so puts out eight more of them. No literals (3.1.1.3.1.1); one
 * sequence with RLE tables (3.1.1.3.2.1): literals length code 0, an offset code, match length code 5, which is eight
 * bytes; the bit stream holds the offset's extra bits below the mark of its end. Seven bytes that unpack to eight: a
 * compressed block must be smaller than what it unpacks to (3.1.1.2.4).
 */
export const RESET: Uint8Array = Buffer.concat(
  [
    { code: 3, bits: 0b1011 }, // 8 + 3 = 2^3 + 0b011
    { code: 2, bits: 0b111 }, // 4 + 3 = 2^2 + 0b11
    { code: 2, bits: 0b100 }, // 1 + 3 = 2^2 + 0b00
  ].flatMap(({ code, bits }) => {
    const content = Buffer.from([0x00, 0x01, 0x54, 0x00, code, 0x05, bits]);
    return [blockHeader(COMPRESSED, content.length), content];
  }),
);

/** 3.1.1.2 */
function blockHeader(type: typeof RAW | typeof COMPRESSED, size: number, last = false): Buffer {
  const header = Buffer.alloc(3);
  header.writeUIntLE((size << 3) | (type << 1) | (last ? 1 : 0), 0, 3);
  return header;
}

/** Bytes as they are, in raw blocks of the largest size. */
export function rawBlocks(bytes: Uint8Array): Uint8Array[] {
  const blocks: Uint8Array[] = [];
  for (let offset = 0; offset < bytes.length; offset += MAX_BLOCK_SIZE) {
    const part = bytes.subarray(offset, offset + MAX_BLOCK_SIZE);
    blocks.push(blockHeader(RAW, part.length), part);
  }
  return blocks;
}

/** An empty raw block that ends a frame. */
export const LAST_BLOCK: Uint8Array = blockHeader(RAW, 0, true);

/**
 * Magic number and header of a frame (3.1.1.1) without a content size and without a checksum.
 *
 * @param windowDescriptor the largest of those of the frames that the blocks were made in (3.1.1.1.2)
 */
export function frameStart(windowDescriptor: number): Uint8Array {
  return Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, windowDescriptor]);
}
