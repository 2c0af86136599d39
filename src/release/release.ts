import type { Architecture } from '../model/architecture.ts';
import type { Component } from '../model/component.ts';
import type { Digest } from '../model/digest.ts';

/** One downloadable file of a release: a binary, or an archive of several. */
export interface Artifact {
  readonly component: Component;
  readonly architecture: Architecture;
  /** The component's own version, without `v`. */
  readonly version: string;
  /** plain: the bytes are one file of the component; tgz: a tar archive, gzipped. */
  readonly packing: 'plain' | 'tgz';
  /** plain: the file's name inside the component; tgz: the archive's own name. */
  readonly name: string;
  /** Where it is published. `sample:` and `folder:` name what is in the embedded sample or a directory of binaries. */
  readonly url: string;
  readonly digest: Digest;
  /** Bytes, where known beforehand (a lock, a bundle, files on this machine). */
  readonly size: number | undefined;
}

/** An artifact after it was fetched and verified, or as a lock states it. */
export interface LockedArtifact extends Artifact {
  readonly digest: Digest & { readonly algorithm: 'sha256' };
  readonly size: number;
}

/** What a version request came to: every artifact by its digest. */
export interface Release {
  /** Kubernetes' version without `v`. */
  readonly version: string;
  /** Seconds since 1970-01-01 UTC, where the source knows it. */
  readonly date: number | undefined;
  /** Versions of the components that are part of it, without `v`. */
  readonly components: Readonly<Partial<Record<Component, string>>>;
  /** In the order of compareArtifacts. */
  readonly artifacts: readonly Artifact[];
}

/** Whether an artifact is part of the embedded sample, whose stand-ins are scripts. */
export function isSample(artifact: Artifact): boolean {
  return artifact.url.startsWith('sample:');
}

/** Order of artifacts in releases and locks: by component, architecture and name, by code unit. */
export function compareArtifacts(a: Artifact, b: Artifact): number {
  return (
    byCodeUnit(a.component, b.component) || byCodeUnit(a.architecture, b.architecture) || byCodeUnit(a.name, b.name)
  );
}

function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
