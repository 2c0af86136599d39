import parse from 'semver/functions/parse.js';
import { KubeparcelError } from '../support/errors.ts';

/** Major, minor and patch. A pre-release has the numbers of its final release and is packaged in the same way. */
export type VersionNumbers = readonly [major: number, minor: number, patch: number];

/**
 * @param version without `v`: 1.36.4, 1.37.0-rc.1
 * @throws KubeparcelError of kind 'usage' for anything else
 */
export function versionNumbers(version: string): VersionNumbers {
  const parsed = parse(version);
  if (parsed === null) {
    throw new KubeparcelError('usage', `not a version of Kubernetes: ${JSON.stringify(version)}`, {
      hint: 'write it as 1.36.4 or 1.37.0-rc.1',
    });
  }
  return [parsed.major, parsed.minor, parsed.patch];
}

/** Parses a range bound that the schema has validated; 1.24 means 1.24.0. */
export function boundNumbers(bound: string): VersionNumbers {
  const [major = 0, minor = 0, patch = 0] = bound.split('.').map(Number);
  return [major, minor, patch];
}

/** Comparator for Array.prototype.sort. */
export function compareNumbers(a: VersionNumbers, b: VersionNumbers): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
}
