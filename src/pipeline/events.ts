import type { ReleaseEvent } from '../release/events.ts';
import type { WrittenFile } from '../support/write-atomically.ts';
import type { BuildTask } from './plan.ts';

export interface BuiltPackage extends WrittenFile {
  readonly task: BuildTask;
}

/** What happens while packages are made. */
export type BuildEvent =
  | { readonly kind: 'planned'; readonly version: string; readonly tasks: readonly BuildTask[] }
  /** A target's packages are made by the tools of this host, and why of this one. */
  | { readonly kind: 'assembling'; readonly target: string; readonly host: string; readonly reason: string }
  /** `total`: bytes of the payload, uncompressed. */
  | { readonly kind: 'packing'; readonly task: BuildTask; readonly total: number }
  /** `bytes`: how much of the payload is in the package by now. */
  | { readonly kind: 'packing-progress'; readonly task: BuildTask; readonly bytes: number }
  | ({ readonly kind: 'packed' } & BuiltPackage)
  /** It was there already, made of the same. */
  | ({ readonly kind: 'unchanged' } & BuiltPackage);

/** What happens while a release is fetched and packages are written. */
export type PipelineEvent = ReleaseEvent | BuildEvent;

export type OnPipelineEvent = (event: PipelineEvent) => void;
