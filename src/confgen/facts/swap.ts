import type { Reading } from './reading.ts';

/** Paths of /proc/swaps, proc(5): a heading, then a line each; blanks in a path are octal escapes. */
export function readSwap(reading: Reading): readonly string[] {
  const lines = (reading.text('/proc/swaps') ?? '').split('\n').slice(1, 65);
  return lines
    .map((line) => line.split(/[ \t]+/)[0] ?? '')
    .filter((path) => path !== '')
    .map((path) => path.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8))));
}
