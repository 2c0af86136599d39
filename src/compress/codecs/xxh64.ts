/**
 * XXH64 with seed 0, the checksum of a zstd frame's content (RFC 8878, 3.1.1). Works on halves of 32 bits: with BigInt it would
 * be slower than the compression itself.
 */

/** High and low half of a 64-bit value. */
type Pair = readonly [high: number, low: number];

const P1: Pair = [0x9e3779b1 | 0, 0x85ebca87 | 0];
const P2: Pair = [0xc2b2ae3d | 0, 0x27d4eb4f | 0];
const P3: Pair = [0x165667b1 | 0, 0x9e3779f9 | 0];
const P4: Pair = [0x85ebca77 | 0, 0xc2b2ae63 | 0];
const P5: Pair = [0x27d4eb2f | 0, 0x165667c5 | 0];
const [P1_HIGH, P1_LOW] = P1;
const [P2_HIGH, P2_LOW] = P2;

const STRIPE = 32;

export interface Xxh64 {
  update(bytes: Uint8Array): void;
  /** The low 32 bits of the digest, unsigned. May be called once. */
  low32(): number;
}

export function createXxh64(): Xxh64 {
  const zero: Pair = [0, 0];
  /** Four lanes, high half and low half of each. */
  const lanes = Int32Array.from([add(P1, P2), P2, zero, negate(P1)].flat());
  const rest = new Uint8Array(STRIPE);
  let restLength = 0;
  let total = 0;

  return {
    update(bytes) {
      total += bytes.length;
      let offset = 0;
      if (restLength > 0) {
        offset = Math.min(STRIPE - restLength, bytes.length);
        rest.set(bytes.subarray(0, offset), restLength);
        restLength += offset;
        if (restLength < STRIPE) {
          return;
        }
        consume(lanes, rest);
        restLength = 0;
      }
      const whole = bytes.length - ((bytes.length - offset) % STRIPE);
      consume(lanes, bytes.subarray(offset, whole));
      rest.set(bytes.subarray(whole));
      restLength = bytes.length - whole;
    },
    low32() {
      const tail = rest.subarray(0, restLength);
      const start = total >= STRIPE ? converge(lanes) : P5;
      const length: Pair = [Math.floor(total / 2 ** 32) | 0, total | 0];
      return avalanche(finalize(add(start, length), tail))[1] >>> 0;
    },
  };
}

/** Each stripe of 32 bytes: lane += word * P2; lane = rotate(lane, 31) * P1. */
function consume(lanes: Int32Array, stripes: Uint8Array): void {
  const view = new DataView(stripes.buffer, stripes.byteOffset, stripes.byteLength);
  for (let lane = 0; lane < 4; lane++) {
    let high = lanes[2 * lane] ?? 0;
    let low = lanes[2 * lane + 1] ?? 0;
    for (let offset = 8 * lane; offset < stripes.length; offset += STRIPE) {
      const wordLow = view.getInt32(offset, true);
      const wordHigh = view.getInt32(offset + 4, true);
      const productLow = Math.imul(wordLow, P2_LOW);
      const sumLow = (low + productLow) | 0;
      const carry = sumLow >>> 0 < productLow >>> 0 ? 1 : 0;
      const productHigh = (upper(wordLow, P2_LOW) + Math.imul(wordHigh, P2_LOW) + Math.imul(wordLow, P2_HIGH)) | 0;
      const sumHigh = (high + productHigh + carry) | 0;
      const turnedHigh = (sumHigh << 31) | (sumLow >>> 1);
      const turnedLow = (sumLow << 31) | (sumHigh >>> 1);
      low = Math.imul(turnedLow, P1_LOW);
      high = (upper(turnedLow, P1_LOW) + Math.imul(turnedHigh, P1_LOW) + Math.imul(turnedLow, P1_HIGH)) | 0;
    }
    lanes[2 * lane] = high;
    lanes[2 * lane + 1] = low;
  }
}

function converge(lanes: Int32Array): Pair {
  const lane = (index: number): Pair => [lanes[2 * index] ?? 0, lanes[2 * index + 1] ?? 0];
  let hash = [1, 7, 12, 18]
    .map((bits, index) => rotate(lane(index), bits))
    .reduce<Pair>((sum, turned) => add(sum, turned), [0, 0]);
  for (let index = 0; index < 4; index++) {
    hash = add(multiply(xor(hash, round([0, 0], lane(index))), P1), P4);
  }
  return hash;
}

function finalize(start: Pair, tail: Uint8Array): Pair {
  const view = new DataView(tail.buffer, tail.byteOffset, tail.byteLength);
  let hash = start;
  let offset = 0;
  for (; offset + 8 <= tail.length; offset += 8) {
    const word: Pair = [view.getInt32(offset + 4, true), view.getInt32(offset, true)];
    hash = add(multiply(rotate(xor(hash, round([0, 0], word)), 27), P1), P4);
  }
  if (offset + 4 <= tail.length) {
    hash = add(multiply(rotate(xor(hash, multiply([0, view.getInt32(offset, true)], P1)), 23), P2), P3);
    offset += 4;
  }
  for (; offset < tail.length; offset++) {
    hash = multiply(rotate(xor(hash, multiply([0, view.getUint8(offset)], P5)), 11), P1);
  }
  return hash;
}

function avalanche(hash: Pair): Pair {
  const first = multiply(xor(hash, shiftRight(hash, 33)), P2);
  const second = multiply(xor(first, shiftRight(first, 29)), P3);
  return xor(second, shiftRight(second, 32));
}

function round(accumulator: Pair, word: Pair): Pair {
  return multiply(rotate(add(accumulator, multiply(word, P2)), 31), P1);
}

function add(a: Pair, b: Pair): Pair {
  const low = (a[1] + b[1]) | 0;
  return [(a[0] + b[0] + (low >>> 0 < b[1] >>> 0 ? 1 : 0)) | 0, low];
}

function negate([high, low]: Pair): Pair {
  return add([~high, ~low], [0, 1]);
}

function xor(a: Pair, b: Pair): Pair {
  return [a[0] ^ b[0], a[1] ^ b[1]];
}

function multiply(a: Pair, b: Pair): Pair {
  return [(upper(a[1], b[1]) + Math.imul(a[0], b[1]) + Math.imul(a[1], b[0])) | 0, Math.imul(a[1], b[1])];
}

/** Upper 32 bits of the unsigned product of two 32-bit values. */
function upper(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const cross = Math.imul(aLow, bHigh);
  const across = Math.imul(aHigh, bLow);
  const middle = (Math.imul(aLow, bLow) >>> 16) + (cross & 0xffff) + (across & 0xffff);
  return (Math.imul(aHigh, bHigh) + (cross >>> 16) + (across >>> 16) + (middle >>> 16)) | 0;
}

/** Rotates left by 1 to 31 bits. */
function rotate([high, low]: Pair, bits: number): Pair {
  return [(high << bits) | (low >>> (32 - bits)), (low << bits) | (high >>> (32 - bits))];
}

/** Shifts right by 1 to 63 bits, filling with zeros. */
function shiftRight([high, low]: Pair, bits: number): Pair {
  return bits < 32 ? [high >>> bits, (low >>> bits) | (high << (32 - bits))] : [0, high >>> (bits - 32)];
}
