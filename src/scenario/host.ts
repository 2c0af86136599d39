import type { Distribution } from '../catalog/distribution-schema.ts';
import type { Architecture } from '../payload/payload.ts';
import type { Manager } from './scenario.ts';

/** A kind of host that scenarios run on. */
export interface ScenarioHost {
  /** debian-12, dnf-12: unique, also part of names of containers. */
  readonly id: string;
  /** What the engine starts: a reference or an ID. */
  readonly image: string;
  readonly manager: Manager;
  /** Whose paths and names hold there. */
  readonly distribution: Distribution;
  readonly architecture: Architecture;
}

/** Where the runner's folders are in every container; read-only. */
export const MOUNT = '/srv/kubeparcel';
/** Where checks keep what they remember; on every host in memory or in the container's own layer. */
export const NOTES = '/run/kubeparcel';
