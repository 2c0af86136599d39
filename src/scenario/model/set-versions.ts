import compare from 'semver/functions/compare.js';
import type { PackageSet } from './expectation.ts';

/** Version and revision of a set. */
export interface SetRecipe {
  /** Without v. */
  readonly version: string;
  readonly revision: string;
}

export interface KnownMinors {
  /** The oldest supported minor: 1.11. */
  readonly oldestMinor: string;
  /** The newest minor with official packages in the legacy layout: 1.27. */
  readonly legacyMinor: string | undefined;
}

/**
 * Version and revision of a set, derived from the packages under test.
 *
 * @param current.version 1.37.0, 1.36.4, 1.37.0-rc.1
 * @param current.revision 1, 2.el9
 * @returns undefined if the set cannot be derived, for example if there is no earlier version
 */
export function setRecipe(
  set: Exclude<PackageSet, 'current'>,
  current: SetRecipe,
  { oldestMinor, legacyMinor }: KnownMinors,
): SetRecipe | undefined {
  const [, minor = '', patch = '', pre] = /^1\.(\d+)\.(\d+)(?:-(.+))?$/.exec(current.version) ?? [];
  const minorBefore = Number(minor) - 1 < Number(oldestMinor.split('.')[1]) ? undefined : `1.${Number(minor) - 1}.0`;
  const revision = '1';
  const recipe = (version: string | undefined) => (version === undefined ? undefined : { version, revision });
  switch (set) {
    case 'next-revision': {
      const number = /^\d+/.exec(current.revision)?.[0];
      return number === undefined ? undefined : { version: current.version, revision: String(Number(number) + 1) };
    }
    case 'previous-minor':
      return recipe(minorBefore);
    case 'previous-patch':
      if (pre !== undefined) return recipe(minorBefore);
      return recipe(Number(patch) === 0 ? `1.${minor}.0-rc.1` : `1.${minor}.${Number(patch) - 1}`);
    case 'official-legacy':
      return legacyMinor !== undefined && Number(legacyMinor.split('.')[1]) < Number(minor)
        ? recipe(`${legacyMinor}.0`)
        : undefined;
    case 'official':
      if (pre !== undefined || Number(patch) === 0) return recipe(minorBefore);
      return recipe(`1.${minor}.${Number(patch) - 1}`);
  }
}

/** Negative if the first set is older than the second. */
export function setRank(a: SetRecipe, b: SetRecipe): number {
  return compare(a.version, b.version) || leadingNumber(a.revision) - leadingNumber(b.revision);
}

function leadingNumber(revision: string): number {
  return Number(/^\d+/.exec(revision)?.[0] ?? 0);
}
