import { promisify } from 'node:util';
import { constants, deflateRaw } from 'node:zlib';

/**
 * Joins separately compressed runs of deflate blocks into a gzip member (RFC 1951, RFC 1952). A run ends on a byte
 * boundary with an empty stored block, and refers only to itself and its dictionary.
 */

const deflate = promisify<Uint8Array, import('node:zlib').ZlibOptions, Buffer>(deflateRaw);

/** Maximum distance in bytes (RFC 1951, 2), and the size of the dictionary of a run. */
const DEFLATE_WINDOW = 1 << 15;

/**
 * Compresses a run of blocks with Node's zlib on one of Node's threads. The bytes may change with the version of zlib.
 *
 * @param before the bytes that precede the run in every archive, used as a dictionary; empty if unknown
 */
export function deflateRun(bytes: Uint8Array, level: number, before: Uint8Array): Promise<Uint8Array> {
  const dictionary = before.length === 0 ? undefined : before.subarray(-DEFLATE_WINDOW);
  return deflate(bytes, { level, dictionary, finishFlush: constants.Z_SYNC_FLUSH });
}

/** RFC 1952, 2.3: no name, no time, Unix; the extra flags mark the best and the fastest level. */
export function memberHeader(level: number): Uint8Array {
  const extraFlags = level === 9 ? 2 : level === 1 ? 4 : 0;
  return Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, extraFlags, 3]);
}

/**
 * The empty last block (RFC 1951, 3.2.6) and the trailer (RFC 1952, 2.3.1).
 *
 * @param crc32 of the decompressed content
 * @param size of the decompressed content in bytes
 */
export function memberEnd(crc32: number, size: number): Uint8Array {
  const end = Buffer.from([0x03, 0x00, 0, 0, 0, 0, 0, 0, 0, 0]);
  end.writeUInt32LE(crc32, 2);
  end.writeUInt32LE(size % 2 ** 32, 6);
  return end;
}

/** The polynomial of CRC-32 without its highest term; the highest bit is the coefficient of x^0 (RFC 1952, 8). */
const POLYNOMIAL = 0xedb88320;
const ONE = 0x80000000;

/** The product of two polynomials over GF(2), modulo the polynomial of CRC-32. */
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
 * The CRC-32 of two concatenated byte sequences: shifts the first CRC by x^(8 * size).
 *
 * @param first CRC-32 of the first sequence
 * @param last CRC-32 of the last sequence
 * @param size of the last sequence in bytes
 */
export function joinCrc32(first: number, last: number, size: number): number {
  let shifted = first;
  // x^8, x^16, x^32, ... for each bit of the size.
  let power = ONE >>> 8;
  for (let left = size; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) shifted = multiply(power, shifted);
    power = multiply(power, power);
  }
  return (shifted ^ last) >>> 0;
}
