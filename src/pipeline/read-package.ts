import { open, stat } from 'node:fs/promises';
import { readDeb } from '../deb/read.ts';
import type { Format } from '../layout/layout.ts';
import type { ReadOptions, ReadPackage } from '../layout/packager.ts';
import { readRpm } from '../rpm/read.ts';
import { KubeparcelError } from '../support/errors.ts';

/**
 * Reads a .deb or an .rpm, told apart by their first bytes.
 *
 * @throws KubeparcelError of kind 'format' for anything else and for a damaged or hostile package
 */
export async function readPackage(path: string, options?: ReadOptions): Promise<ReadPackage> {
  return (await packageFormat(path)) === 'deb' ? readDeb(path, options) : readRpm(path, options);
}

/**
 * Whether a file begins as a .deb or as an .rpm.
 *
 * @throws KubeparcelError of kind 'format' for anything else
 */
export async function packageFormat(path: string): Promise<Format> {
  const notOne = new KubeparcelError('format', 'this is neither a .deb nor an .rpm', {
    where: path,
    todo: 'name a binary package file',
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
