import type { Compression } from '../model/compression.ts';
import type { Format } from '../model/format.ts';
import type { Range } from './ranges.ts';

/** Places that distributions differ in; packages/*.yaml and templates name them. */
export const PLACES = ['units', 'drop-ins', 'environment', 'libexec'] as const;
export type Place = (typeof PLACES)[number];

/** What a distribution's packages are called and where its files go. */
export interface Distribution {
  /** debian-12 */
  readonly id: string;
  readonly aliases: readonly string[];
  readonly format: Format;
  /** Distributions of one family are served by one package; undefined where a package must be built for it alone. */
  readonly family: string | undefined;
  readonly paths: Readonly<Record<Place, readonly (Range & { readonly path: string })[]>>;
  /** Names by logical name; none: every system has it, in a package of another name. */
  readonly names: Readonly<Record<string, readonly string[]>>;
  /** Packages of shared libraries by soname; empty for RPM, where the soname is the relation. */
  readonly libraries: Readonly<Record<string, LibraryPackage>>;
  /** Directories that the distribution's own packages own, so that no package of ours may. */
  readonly systemDirectories: readonly string[];
  /** Packages load kernel modules and set sysctls at boot, where kubeparcel.yaml says nothing about it. */
  readonly kernel: boolean;
  /** Goes behind the revision of a package that is built for this distribution alone. */
  readonly suffix: string;
  /** What the package manager reads, the best first. */
  readonly compression: readonly Compression[];
  /** The vendor's container image: docker.io/library/debian:12, with @sha256:... where it is pinned. */
  readonly image: string | undefined;
}

export interface LibraryPackage {
  readonly package: string;
  /** Symbol versions with this prefix are versions of the package. */
  readonly symbols?: string | undefined;
  /** Package versions of the symbol versions that say none. */
  readonly others?: Readonly<Record<string, string>> | undefined;
}

/** The form in which names of distributions are compared: `debian12`, `Debian-12` and `debian_12` are one. */
export function normalName(name: string): string {
  return name.toLowerCase().replace(/[-_.: ]/g, '');
}
