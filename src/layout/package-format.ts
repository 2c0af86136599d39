import { open, stat } from 'node:fs/promises';
import type { Format } from '../model/format.ts';
import { KubeparcelError } from '../support/errors.ts';

/**
 * Detects the format of a package file by its first bytes.
 *
 * @throws KubeparcelError of kind 'format' for anything else
 */
export async function packageFormat(path: string): Promise<Format> {
  const notPackage = new KubeparcelError('format', 'not a .deb or .rpm package', {
    where: path,
  });
  // Opening a named pipe would block.
  if (!(await stat(path)).isFile()) throw notPackage;
  const start = Buffer.alloc(8);
  const file = await open(path, 'r');
  try {
    await file.read(start, 0, 8, 0);
  } finally {
    await file.close();
  }
  if (start.toString('latin1') === '!<arch>\n') return 'deb';
  if (start.readUInt32BE(0) === 0xedabeedb) return 'rpm';
  throw notPackage;
}
