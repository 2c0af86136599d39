import parse from 'semver/functions/parse.js';
import { KubeparcelError } from '../support/errors.ts';

/** Major, minor and patch. A pre-release counts as the release that it leads to: it is packaged in the same way. */
export type VersionNumbers = readonly [major: number, minor: number, patch: number];

/**
 * @param version as Kubernetes writes it, without `v`: 1.36.4, 1.37.0-rc.1
 * @throws KubeparcelError of kind 'usage' for anything else
 */
export function versionNumbers(version: string): VersionNumbers {
  const parsed = parse(version);
  if (parsed === null) {
    throw new KubeparcelError('usage', `no version of Kubernetes: ${JSON.stringify(version)}`, {
      hint: 'write it as 1.36.4 or 1.37.0-rc.1',
    });
  }
  return [parsed.major, parsed.minor, parsed.patch];
}

/** Reads a bound of a range: 1.24 is 1.24.0. The text must be a bound (see the schemas). */
export function boundNumbers(bound: string): VersionNumbers {
  const [major = 0, minor = 0, patch = 0] = bound.split('.').map(Number);
  return [major, minor, patch];
}

/** Negative, zero or positive, as sort wants it. */
export function compareNumbers(a: VersionNumbers, b: VersionNumbers): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
}
