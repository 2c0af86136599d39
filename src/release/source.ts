import type { Architecture } from '../model/architecture.ts';
import type { Component, Pins } from '../model/component.ts';
import type { OnReleaseEvent } from './events.ts';
import type { Artifact } from './release.ts';
import type { VersionRequest } from './version-request.ts';

/** Passed with every call to a source. An abort rejects the call with the signal's reason. */
export interface SourceContext {
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: OnReleaseEvent | undefined;
}

/** The release that a source has for a request. */
export interface FoundRelease {
  /** Version of Kubernetes, without `v`. */
  readonly version: string;
  /** Seconds since 1970-01-01 UTC. */
  readonly date: number | undefined;
  /** Versions that the source states for its files; they override pins. */
  readonly pins: { readonly [Key in keyof Pins]?: string | undefined };
}

/** `version`: of the component, without `v`. */
export interface ComponentRequest {
  readonly component: Component;
  readonly architecture: Architecture;
  readonly version: string;
}

/** Receives the bytes of a transfer. May already have bytes of an earlier, interrupted transfer. */
export interface Sink {
  /** Bytes received so far. */
  readonly size: number;
  /** The entity tag or date that the server gave with these bytes (RFC 9110, section 13.1.5). */
  readonly validator: string | undefined;
  /** Discards the bytes received so far; `validator` belongs to the bytes that follow. */
  restart(validator?: string): Promise<void>;
  /** The bytes that follow are appended to those received so far. */
  resume(): void;
  append(chunk: Uint8Array): Promise<void>;
}

/** Provides releases: the servers, a mirror, a bundle, a directory or the sample. */
export interface Source {
  /** As given to --source. */
  readonly name: string;
  /**
   * Finds the release for a request.
   *
   * @throws KubeparcelError: 'usage' if the source cannot have such a release, 'network' if a server does not answer
   */
  find(request: VersionRequest, context: SourceContext): Promise<FoundRelease>;
  /**
   * The artifacts of one component, with trusted or published digests.
   *
   * @throws KubeparcelError of kind 'verification' if no digest is published for an artifact
   */
  artifacts(request: ComponentRequest, context: SourceContext): Promise<readonly Artifact[]>;
  /**
   * Transfers an artifact's bytes in order. The caller verifies them.
   *
   * @throws KubeparcelError of kind 'network' or 'io'; bytes that arrived stay in the sink
   */
  transfer(artifact: Artifact, sink: Sink, context: SourceContext): Promise<void>;
  /** Closes connections and files. */
  close(): Promise<void>;
}
