/** SHA-256 (FIPS 180-4) of the UTF-8 bytes of a text: 64 lower-case hex digits, as printed by sha256sum. */
export function sha256(text: string): string {
  const bytes = utf8(text);
  const length = bytes.length;
  bytes.push(0x80);
  while (bytes.length % 64 !== 56) bytes.push(0);
  // The length as 64 bits; the generator's texts are shorter than 2^32 bits.
  for (const shift of [0, 0, 0, 0, 24, 16, 8, 0])
    bytes.push(bytes.length % 64 < 60 ? 0 : ((length * 8) >>> shift) & 255);
  const state = [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19];
  for (let at = 0; at < bytes.length; at += 64) compress(state, bytes, at);
  return state.map((word) => `0000000${(word >>> 0).toString(16)}`.slice(-8)).join('');
}

function compress(state: number[], bytes: readonly number[], at: number): void {
  const words: number[] = [];
  const word = (index: number) => words[index] ?? 0;
  for (let index = 0; index < 64; index += 1) {
    if (index < 16) {
      const byte = (offset: number) => bytes[at + index * 4 + offset] ?? 0;
      words.push((byte(0) << 24) | (byte(1) << 16) | (byte(2) << 8) | byte(3));
    } else {
      const [x, y] = [word(index - 15), word(index - 2)];
      const low = rotate(x, 7) ^ rotate(x, 18) ^ (x >>> 3);
      const high = rotate(y, 17) ^ rotate(y, 19) ^ (y >>> 10);
      words.push((word(index - 16) + low + word(index - 7) + high) | 0);
    }
  }
  let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = state;
  for (let index = 0; index < 64; index += 1) {
    const choice = (e & f) ^ (~e & g);
    const majority = (a & b) ^ (a & c) ^ (b & c);
    const first =
      (h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + choice + (ROUNDS[index] ?? 0) + word(index)) | 0;
    const second = ((rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + majority) | 0;
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + first) | 0, c, b, a, (first + second) | 0];
  }
  for (const [index, value] of [a, b, c, d, e, f, g, h].entries()) state[index] = ((state[index] ?? 0) + value) | 0;
}

function rotate(word: number, by: number): number {
  return (word >>> by) | (word << (32 - by));
}

/** A lone surrogate becomes U+FFFD, as in TextEncoder. */
function utf8(text: string): number[] {
  const bytes: number[] = [];
  for (const character of text) {
    const found = character.codePointAt(0) ?? 0;
    const code = found >= 0xd800 && found <= 0xdfff ? 0xfffd : found;
    if (code < 0x80) bytes.push(code);
    else if (code < 0x800) bytes.push(0xc0 | (code >> 6), 0x80 | (code & 63));
    else if (code < 0x10000) bytes.push(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
    else bytes.push(0xf0 | (code >> 18), 0x80 | ((code >> 12) & 63), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
  }
  return bytes;
}

/** The first 32 bits of the fractional parts of the cube roots of the first 64 primes. */
const ROUNDS = roundConstants();

function roundConstants(): number[] {
  const found: number[] = [];
  for (let candidate = 2; found.length < 64; candidate += 1) {
    let prime = true;
    for (let factor = 2; factor * factor <= candidate; factor += 1) if (candidate % factor === 0) prime = false;
    if (prime) found.push(((Math.cbrt(candidate) % 1) * 0x100000000) | 0);
  }
  return found;
}
