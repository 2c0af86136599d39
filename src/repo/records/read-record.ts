import { packageFormat } from '../../layout/package-format.ts';
import { readDebRecord } from '../formats/apt/read-record.ts';
import { readRpmRecord } from '../formats/rpm-md/read-record.ts';
import type { FileDigests, PackageRecord } from '../model/record.ts';

/**
 * Reads the record of a .deb or an .rpm.
 *
 * @throws KubeparcelError of kind 'format' or 'verification' for what is not a package, and for a damaged one
 */
export async function readRecord(
  path: string,
  digests: FileDigests,
  options: { readonly signal?: AbortSignal } = {},
): Promise<PackageRecord> {
  const read = (await packageFormat(path)) === 'deb' ? readDebRecord : readRpmRecord;
  return read(path, digests, options);
}
