import { readDeb } from '../deb/read.ts';
import { packageFormat } from '../layout/package-format.ts';
import type { ReadOptions, ReadPackage } from '../layout/packager.ts';
import { readRpm } from '../rpm/read.ts';

/**
 * Reads a .deb or .rpm; detects the format by the first bytes.
 *
 * @throws KubeparcelError of kind 'format' for another file, and for a damaged or hostile package
 */
export async function readPackage(path: string, options?: ReadOptions): Promise<ReadPackage> {
  return (await packageFormat(path)) === 'deb' ? readDeb(path, options) : readRpm(path, options);
}
