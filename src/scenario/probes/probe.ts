import type { PackageSet } from '../model/expectation.ts';
import type { ScenarioHost } from '../model/host.ts';
import type { Finding } from '../model/text.ts';

/** A command for a container. */
export interface Ask {
  readonly command: readonly string[];
  readonly stdin?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly user?: string;
  /** Seconds. */
  readonly timeout?: number;
}

/** How a command ended. */
export interface Answer {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** How a check looks: what to ask, all of it, and what to make of the answers. Pure; a person can ask the same. */
export interface Look {
  readonly asks: readonly Ask[];
  /** One answer for each ask; at least one finding. */
  judge(answers: readonly Answer[]): Finding[];
}

/** What looks know of the scenario so far. */
export interface LookContext {
  readonly host: ScenarioHost;
  /** `all`, or these. */
  names(wanted: 'all' | readonly string[]): readonly string[];
  versionIn(set: PackageSet, name: string): string;
  /** Main processes by the name that they were remembered under. */
  readonly processes: ReadonlyMap<string, string>;
}

export function ask(...command: string[]): Ask {
  return { command };
}

export const NO_ANSWER: Answer = { status: 255, stdout: '', stderr: '' };
