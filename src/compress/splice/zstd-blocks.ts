import { MAX_BLOCK_SIZE } from '../codecs/zstd-frame.ts';

/**
 * Joins separately compressed blocks into a zstd frame (RFC 8878, 3.1.1.2). Blocks from the start of one frame can follow
 * any block of another frame under two conditions: the repeat offsets are 1, 4 and 8 (3.1.1.5), and the blocks refer to no
 * earlier tables, which is always true at the start of a frame. Raw blocks change neither.
 */

/** Block types (3.1.1.2.2). */
const RAW = 0;
const COMPRESSED = 2;

/** Number of equal bytes that must precede a reset. */
export const RESET_BEFORE = 8;
/** Number of bytes that a reset produces; all have the value of the preceding bytes. */
export const RESET_OUTPUT = 24;

/**
 * Three blocks of one sequence each, which set the repeat offsets to 1, 4 and 8. The sequences copy eight bytes from
 * offsets 8, 4 and 1; after a run of equal bytes they produce more of the same. No literals (3.1.1.3.1.1); one sequence
 * with RLE tables (3.1.1.3.2.1): literals length code 0, an offset code, match length code 5 (eight bytes). The bit stream
 * contains the extra bits of the offset below the end mark. Seven bytes decompress to eight, because a compressed block
 * must be smaller than its content (3.1.1.2.4).
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

/** Uncompressed bytes in raw blocks of maximum size. */
export function rawBlocks(bytes: Uint8Array): Uint8Array[] {
  const blocks: Uint8Array[] = [];
  for (let offset = 0; offset < bytes.length; offset += MAX_BLOCK_SIZE) {
    const part = bytes.subarray(offset, offset + MAX_BLOCK_SIZE);
    blocks.push(blockHeader(RAW, part.length), part);
  }
  return blocks;
}

/** The empty raw block at the end of a frame. */
export const LAST_BLOCK: Uint8Array = blockHeader(RAW, 0, true);

/**
 * Magic number and header of a frame (3.1.1.1) without content size and without checksum.
 *
 * @param windowDescriptor largest window descriptor of the frames of the blocks (3.1.1.1.2)
 */
export function frameStart(windowDescriptor: number): Uint8Array {
  return Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, windowDescriptor]);
}
