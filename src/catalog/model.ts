import type { GeneratorData } from '../confgen/model/data.ts';
import type { Distribution } from './distribution.ts';
import type { FormerFile } from './former-files.ts';
import type { PackageDefinition } from './package-schema.ts';
import type { Range } from './ranges.ts';
import type { Minor } from './versions-schema.ts';
/** The packaging data: what packages, distributions and versions there are. */
export interface Catalog {
  /** Sorted by name. */
  readonly packages: readonly PackageDefinition[];
  /** In the order of files (sorted by name) and of the releases in them. */
  readonly distributions: readonly Distribution[];
  /** Oldest first, none left out. */
  readonly minors: readonly Minor[];
  readonly pins: readonly (Range & { readonly 'cri-tools': string; readonly 'cni-plugins': string })[];
  /** What kubelet-confgen takes along, but for the kubelet that it is packaged with. */
  readonly generator: Omit<GeneratorData, 'kubeletVersion'>;
  readonly formerFiles: readonly FormerFile[];
  /** For messages. */
  readonly versionsFile: string;
}
