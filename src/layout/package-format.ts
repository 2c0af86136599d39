import { open, stat } from 'node:fs/promises';
import type { Format } from '../model/format.ts';
import { KubeparcelError } from '../support/errors.ts';

/**
 * Whether a file begins as a .deb or as an .rpm.
 *
 * @throws KubeparcelError of kind 'format' for anything else
 */
export async function packageFormat(path: string): Promise<Format> {
  const notOne = new KubeparcelError('format', 'this is neither a .deb nor an .rpm', {
    where: path,
    hint: 'name a binary package file',
  });
  // Opening a pipe would wait for a writer.
  if (!(await stat(path)).isFile()) throw notOne;
  const start = Buffer.alloc(8);
  const file = await open(path, 'r');
  try {
    await file.read(start, 0, 8, 0);
  } finally {
    await file.close();
  }
  if (start.toString('latin1') === '!<arch>\n') return 'deb';
  if (start.readUInt32BE(0) === 0xedabeedb) return 'rpm';
  throw notOne;
}
