import { crc32 } from 'node:zlib';

/** Lines followed by their CRC-32, for small cache files, so that damage is detected. */
export function formatChecksummed(lines: readonly string[]): Buffer {
  const text = lines.join('\n');
  return Buffer.from(`${text}\n${crc32(text).toString(16)}\n`);
}

/** The lines, or undefined if the checksum does not match. */
export function parseChecksummed(text: string): string[] | undefined {
  const [, body = '', sum] = /^(.*)\n([0-9a-f]+)\n$/s.exec(text) ?? [];
  return sum === crc32(body).toString(16) ? body.split('\n') : undefined;
}
