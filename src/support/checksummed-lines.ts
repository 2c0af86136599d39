import { crc32 } from 'node:zlib';

/** A line or several with their CRC-32 behind them, for small files that are kept: what a power cut or a disk made of them is noticed. */
export function formatChecksummed(lines: readonly string[]): Buffer {
  const text = lines.join('\n');
  return Buffer.from(`${text}\n${crc32(text).toString(16)}\n`);
}

/** The lines, or undefined when they are not as they were written. */
export function parseChecksummed(text: string): string[] | undefined {
  const [, body = '', sum] = /^(.*)\n([0-9a-f]+)\n$/s.exec(text) ?? [];
  return sum === crc32(body).toString(16) ? body.split('\n') : undefined;
}
