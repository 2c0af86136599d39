import type { GeneratorData } from '../confgen/model/data.ts';
import type { Distribution } from './distribution.ts';
import type { FormerFile } from './former-files.ts';
import type { PackageDefinition } from './package-schema.ts';
import type { Range } from './ranges.ts';

/** The packaging data: packages, distributions and versions. */
export interface Catalog {
  /** Sorted by name. */
  readonly packages: readonly PackageDefinition[];
  /** In the order of the files, sorted by name, and of their releases. */
  readonly distributions: readonly Distribution[];
  /** Oldest first, without gaps. */
  readonly minors: readonly Minor[];
  readonly pins: readonly (Range & { readonly 'cri-tools': string; readonly 'cni-plugins': string })[];
  /** The data that is embedded in kubelet-confgen. */
  readonly generator: Omit<GeneratorData, 'kubeletVersion'>;
  readonly formerFiles: readonly FormerFile[];
  /** For error messages. */
  readonly versionsFile: string;
}

export interface Minor {
  readonly minor: string;
  /** Release date of X.Y.0, YYYY-MM-DD. */
  readonly released: string;
}
