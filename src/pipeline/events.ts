import type { ReleaseEvent } from '../release/events.ts';
import type { WrittenFile } from '../support/write-atomically.ts';
import type { BuildTask } from './plan.ts';

export interface BuiltPackage extends WrittenFile {
  readonly task: BuildTask;
}

/** Progress of a build. */
export type BuildEvent =
  | { readonly kind: 'planned'; readonly version: string; readonly tasks: readonly BuildTask[] }
  /** The packages of a target are built with the tools of a host, which was chosen for a reason. */
  | { readonly kind: 'assembling'; readonly target: string; readonly host: string; readonly reason: string }
  /** `total`: bytes of the payload, uncompressed. */
  | { readonly kind: 'packing'; readonly task: BuildTask; readonly total: number }
  /** `bytes`: bytes of the payload in the package so far. */
  | { readonly kind: 'packing-progress'; readonly task: BuildTask; readonly bytes: number }
  | ({ readonly kind: 'packed' } & BuiltPackage)
  /** An earlier build wrote the same package. */
  | ({ readonly kind: 'unchanged' } & BuiltPackage);

/** Progress of fetching a release and building its packages. */
export type PipelineEvent = ReleaseEvent | BuildEvent;

export type OnPipelineEvent = (event: PipelineEvent) => void;
