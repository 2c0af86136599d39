import type { Architecture } from '../model/architecture.ts';
import type { Component, Pins } from '../model/component.ts';
import type { OnReleaseEvent } from './events.ts';
import type { Artifact } from './release.ts';
import type { VersionRequest } from './version-request.ts';

/** What travels along with every question to a source. An abort ends it with the signal's reason. */
export interface SourceContext {
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: OnReleaseEvent | undefined;
}

/** The release that a source has for a request. */
export interface FoundRelease {
  /** Kubernetes' version without `v`. */
  readonly version: string;
  /** Seconds since 1970-01-01 UTC. */
  readonly date: number | undefined;
  /** Versions that the source itself states for its bytes; they win over pins. */
  readonly pins: Partial<Pins>;
}

/** Which artifacts are asked for; `version` is the component's own. */
export interface WantedComponent {
  readonly component: Component;
  readonly architecture: Architecture;
  readonly version: string;
}

/** Where a transfer puts its bytes. Bytes of an earlier, broken transfer may wait in it. */
export interface Sink {
  /** Bytes that are here. */
  readonly size: number;
  /** The entity tag or date that the server gave with these bytes (RFC 9110, section 13.1.5). */
  readonly validator: string | undefined;
  /** Drops what is here; `validator` belongs to the bytes that follow. */
  restart(validator?: string): Promise<void>;
  /** What follows goes on where the bytes that are here end. */
  resume(): void;
  append(chunk: Uint8Array): Promise<void>;
}

/** Where releases come from. */
export interface Source {
  /** As a person would write it after --source. */
  readonly name: string;
  /**
   * @throws KubeparcelError: 'usage' when the source cannot have such a release, 'network' when it did not answer
   */
  find(request: VersionRequest, context: SourceContext): Promise<FoundRelease>;
  /**
   * The artifacts of one component, with digests from a trusted or published statement.
   *
   * @throws KubeparcelError of kind 'verification' when no digest is published for it
   */
  artifacts(wanted: WantedComponent, context: SourceContext): Promise<readonly Artifact[]>;
  /**
   * Brings an artifact's bytes, in order. Nothing is verified here beyond what the transport itself promises.
   *
   * @throws KubeparcelError of kind 'network' or 'io'; what arrived until then stays in the sink
   */
  transfer(artifact: Artifact, sink: Sink, context: SourceContext): Promise<void>;
  /** Frees connections and files; the source is not used afterwards. */
  close(): Promise<void>;
}
