import type { PackageVersion } from '../model/package-version.ts';
import { KubeparcelError } from '../support/errors.ts';

const EPOCH_MAX = 2 ** 31 - 1;

/**
 * Takes a version apart: [epoch:]upstream[-revision], deb-version(7). A version without a revision (of a native package)
 * gets the revision ''.
 *
 * @throws KubeparcelError of kind 'format'
 */
export function parseDebVersion(text: string): PackageVersion {
  const match = /^(?:(\d{1,10}):)?(\d[A-Za-z0-9.+~:-]*?)(?:-([A-Za-z0-9.+~]+))?$/.exec(text);
  const epoch = Number(match?.[1] ?? 0);
  const upstream = match?.[2];
  if (upstream === undefined || epoch > EPOCH_MAX || (upstream.includes(':') && match?.[1] === undefined)) {
    throw new KubeparcelError('format', `${JSON.stringify(text.slice(0, 100))} is not a version of a Debian package`);
  }
  return { epoch, upstream, revision: match?.[3] ?? '' };
}
