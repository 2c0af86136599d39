/**
 * The offset of the first run of `length` equal bytes at or after `from`; -1 if there is none.
 *
 * @param from offset in bytes, not negative
 */
export function findEqualRun(bytes: Uint8Array, length: number, from = 0): number {
  // Compares backwards from the last byte of a possible run, so that most bytes are not read.
  for (let start = from; start + length <= bytes.length; ) {
    let at = start + length - 1;
    const value = bytes[at];
    while (at > start && bytes[at - 1] === value) at -= 1;
    if (at === start) return start;
    start = at;
  }
  return -1;
}

/** The offset of the last run of `length` equal bytes; -1 if there is none. */
export function findLastEqualRun(bytes: Uint8Array, length: number): number {
  for (let end = bytes.length; end >= length; ) {
    let at = end - length;
    const value = bytes[at];
    while (at < end - 1 && bytes[at + 1] === value) at += 1;
    if (at === end - 1) return end - length;
    end = at + 1;
  }
  return -1;
}
