import type { Architecture } from '../model/architecture.ts';
import type { Component } from '../model/component.ts';
import type { PublishedDigest } from '../model/digest.ts';

interface ArtifactDescription {
  readonly component: Component;
  readonly architecture: Architecture;
  /** Version of the component, without `v`. */
  readonly version: string;
  /** plain: one file of the component; tgz: a gzipped tar archive. */
  readonly packing: 'plain' | 'tgz';
  /** plain: name of the file in the component; tgz: name of the archive. */
  readonly name: string;
  /** Where it is published. `sample:` is the embedded sample, `folder:` a path in a directory of binaries. */
  readonly url: string;
  /** Bytes, if known in advance (a lock, a bundle, local files). */
  readonly size: number | undefined;
}

/** One downloadable file of a release, a binary or an archive, with the digest to check it against. */
export type Artifact = ArtifactDescription & PublishedDigest;

/** An artifact with the size and SHA-256 of its verified bytes, as in kubeparcel.lock. */
export interface LockedArtifact extends ArtifactDescription {
  readonly sha256: string;
  readonly sha512?: undefined;
  readonly size: number;
}

/** A resolved version request: every artifact with its digest. */
export interface Release {
  /** Version of Kubernetes, without `v`. */
  readonly version: string;
  /** Seconds since 1970-01-01 UTC; undefined when the source does not know it. */
  readonly date: number | undefined;
  /** Versions of its components, without `v`. */
  readonly components: Readonly<Partial<Record<Component, string>>>;
  /** In the order of compareArtifacts. */
  readonly artifacts: readonly Artifact[];
}

/** Whether an artifact is part of the embedded sample, whose programs are shell scripts. */
export function isSample(artifact: Artifact): boolean {
  return artifact.url.startsWith('sample:');
}

/** Orders artifacts in releases and locks by component, architecture and name (code units). */
export function compareArtifacts(a: Artifact, b: Artifact): number {
  return (
    byCodeUnit(a.component, b.component) || byCodeUnit(a.architecture, b.architecture) || byCodeUnit(a.name, b.name)
  );
}

function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
