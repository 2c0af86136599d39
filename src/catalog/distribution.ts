import type { Compression } from '../model/compression.ts';
import type { Format } from '../model/format.ts';
import type { Range } from './ranges.ts';

/** Names of directories that differ between distributions; used in packages/*.yaml and templates. */
export const PLACES = ['units', 'drop-ins', 'environment', 'libexec'] as const;
export type Place = (typeof PLACES)[number];

/** Package names, paths and capabilities of a distribution. */
export interface Distribution {
  /** debian-12 */
  readonly id: string;
  readonly aliases: readonly string[];
  readonly format: Format;
  /** One package serves all distributions of a family; undefined if the distribution needs its own packages. */
  readonly family: string | undefined;
  readonly paths: Readonly<Record<Place, readonly (Range & { readonly path: string })[]>>;
  /** Package names by logical name. An empty list means that every system includes it, so that no package is needed. */
  readonly names: Readonly<Record<string, readonly string[]>>;
  /** Packages of shared libraries by soname; empty for RPM, whose relations name sonames. */
  readonly libraries: Readonly<Record<string, LibraryPackage>>;
  /** Directories that the distribution's packages own; kubeparcel's packages must not own them. */
  readonly systemDirectories: readonly string[];
  /** Whether packages load kernel modules and set sysctls at boot, unless kubeparcel.yaml overrides it. */
  readonly kernel: boolean;
  /** Suffix of the revision for packages that are built for this distribution only. */
  readonly suffix: string;
  /** Compressions that the package manager reads; best first. */
  readonly compression: readonly Compression[];
  /** The vendor's container image: docker.io/library/debian:12, optionally with @sha256:... */
  readonly image: string | undefined;
}

export interface LibraryPackage {
  readonly package: string;
  /** A symbol version with this prefix is a version of the package. */
  readonly symbols?: string | undefined;
  /** Package versions by symbol version, for symbol versions that do not contain one. */
  readonly others?: Readonly<Record<string, string>> | undefined;
}

/** Normalizes a distribution name for comparison: `debian12`, `Debian-12` and `debian_12` are equal. */
export function normalName(name: string): string {
  return name.toLowerCase().replace(/[-_.: ]/g, '');
}
