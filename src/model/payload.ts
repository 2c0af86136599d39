import type { Architecture } from './architecture.ts';
import type { Component } from './component.ts';

/** A shared library that a dynamically linked binary needs. */
export interface SharedLibraryNeed {
  /** DT_NEEDED: libc.so.6 */
  readonly soname: string;
  /** Required symbol versions: GLIBC_2.34; sorted, may be empty. */
  readonly symbolVersions: readonly string[];
}

export interface PayloadFile {
  /** File name in the component: kubelet; bridge, LICENSE, README.md for the CNI plugins. */
  readonly name: string;
  readonly sha256: string;
  /** Bytes. */
  readonly size: number;
  readonly executable: boolean;
  /** Empty for a static binary, a script or a text file. */
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

/** The verified files of a release, by component and architecture. */
export interface Payload {
  /** Version of Kubernetes, without `v`. */
  readonly version: string;
  /** Release date, seconds since 1970-01-01 UTC; undefined when neither the source nor the lock knows it. */
  readonly date: number | undefined;
  readonly components: readonly ComponentPayload[];
}
