import { crc32 } from 'node:zlib';

/** Formats lines with a trailing CRC-32, so that damage to small cache files is detected. */
export function formatChecksummed(lines: readonly string[]): Buffer {
  const text = lines.join('\n');
  return Buffer.from(`${text}\n${crc32(text).toString(16)}\n`);
}

/** The lines, or undefined if the checksum does not match. */
export function parseChecksummed(text: string): string[] | undefined {
  const [, body = '', sum] = /^(.*)\n([0-9a-f]+)\n$/s.exec(text) ?? [];
  return sum === crc32(body).toString(16) ? body.split('\n') : undefined;
}
