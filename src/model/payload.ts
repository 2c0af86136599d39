import type { Architecture } from './architecture.ts';
import type { Component } from './component.ts';
/** What the payload step hands to the layout step: verified files, by component and architecture. */

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
