import { promisify } from 'node:util';
import { constants, deflateRaw } from 'node:zlib';

/**
 * Members put together from runs of deflate blocks that were compressed apart (RFC 1951, RFC 1952). A run ends at a byte
 * with an empty stored block, and refers to nothing but itself and the bytes that it was primed with.
 */

const deflate = promisify<Uint8Array, import('node:zlib').ZlibOptions, Buffer>(deflateRaw);

/** How far back deflate refers (RFC 1951, 2): a run is primed with as many bytes of what stands before it. */
const DEFLATE_WINDOW = 1 << 15;

/**
 * A run of blocks, by Node's own zlib on one of its threads: the bytes may change with zlib's version.
 *
 * @param before the bytes that come before these wherever the run is used; empty where they are not known
 */
export function deflateRun(bytes: Uint8Array, level: number, before: Uint8Array): Promise<Uint8Array> {
  const primed = before.length === 0 ? {} : { dictionary: before.subarray(-DEFLATE_WINDOW) };
  return deflate(bytes, { level, ...primed, finishFlush: constants.Z_SYNC_FLUSH });
}

/** RFC 1952, 2.3: no name, no time, Unix; the extra flags tell the best and the fastest level. */
export function memberHeader(level: number): Uint8Array {
  const extraFlags = level === 9 ? 2 : level === 1 ? 4 : 0;
  return Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, extraFlags, 3]);
}

/**
 * The last block, which is empty (RFC 1951, 3.2.6), and the member's end (RFC 1952, 2.3.1).
 *
 * @param crc32 of all that the member unpacks to
 * @param size of the same, bytes
 */
export function memberEnd(crc32: number, size: number): Uint8Array {
  const end = Buffer.from([0x03, 0x00, 0, 0, 0, 0, 0, 0, 0, 0]);
  end.writeUInt32LE(crc32, 2);
  end.writeUInt32LE(size % 2 ** 32, 6);
  return end;
}

/** CRC-32's polynomial without its highest term; the highest bit of a number is the coefficient of x^0 (RFC 1952, 8). */
const POLYNOMIAL = 0xedb88320;
const ONE = 0x80000000;

/** The product of two polynomials over GF(2), modulo CRC-32's. */
function multiply(a: number, b: number): number {
  let product = 0;
  let shifted = b;
  for (let term = ONE; term !== 0; term >>>= 1) {
    if ((a & term) !== 0) product ^= shifted;
    shifted = (shifted & 1) === 0 ? shifted >>> 1 : (shifted >>> 1) ^ POLYNOMIAL;
  }
  return product >>> 0;
}

/**
 * The CRC-32 of bytes of which the first have the one and the last the other: the first is moved on by x^(8 * size).
 *
 * @param size of the last, bytes
 */
export function joinCrc32(first: number, last: number, size: number): number {
  let moved = first;
  // x^8, x^16, x^32, ...: one for each bit of the size.
  let power = ONE >>> 8;
  for (let left = size; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) moved = multiply(power, moved);
    power = multiply(power, power);
  }
  return (moved ^ last) >>> 0;
}
