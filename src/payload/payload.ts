/** What the payload step hands to the layout step: verified files, by component and architecture. */

export const ARCHITECTURES = ['amd64', 'arm64', 'ppc64le', 's390x'] as const;
/** Kubernetes' own words for architectures (GOARCH); packages spell them as their format wants. */
export type Architecture = (typeof ARCHITECTURES)[number];

/** The parts that a release is made of; each is one artifact (a binary or an archive) per architecture. */
export const COMPONENTS = ['kubeadm', 'kubelet', 'kubectl', 'cni-plugins', 'crictl'] as const;
export type Component = (typeof COMPONENTS)[number];

/** What a dynamically linked binary wants from its host. */
export interface SharedLibraryNeed {
  /** DT_NEEDED: libc.so.6 */
  readonly soname: string;
  /** Symbol versions wanted of it: GLIBC_2.34; sorted, may be empty. */
  readonly symbolVersions: readonly string[];
}

export interface PayloadFile {
  /** File name inside the component: kubelet; bridge, LICENSE, README.md for the CNI plugins. */
  readonly name: string;
  readonly sha256: string;
  /** Bytes. */
  readonly size: number;
  readonly executable: boolean;
  /** Empty for a statically linked binary, a script of the sample and a text file. */
  readonly libraries: readonly SharedLibraryNeed[];
}

export interface ComponentPayload {
  readonly component: Component;
  readonly architecture: Architecture;
  /** Without `v`: 1.36.4, 1.37.0-rc.1 */
  readonly version: string;
  /** Sorted by name. */
  readonly files: readonly PayloadFile[];
}

export interface Payload {
  /** Kubernetes' version without `v`. */
  readonly version: string;
  /** The release's own date, seconds since 1970-01-01 UTC, where the source or the lock knows it. */
  readonly date: number | undefined;
  readonly components: readonly ComponentPayload[];
}
