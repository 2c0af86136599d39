import type { PackageSet } from './expectation.ts';
import type { Group } from './scenario.ts';
import type { Finding } from './text.ts';

/** A scenario on a host. */
export interface JobName {
  readonly host: string;
  readonly scenario: string;
  readonly group: Group;
  readonly title: string;
}

/** A command that reproduces a result. */
export interface CommandRecord {
  readonly command: readonly string[];
  readonly status: number;
  /** Truncated if long. */
  readonly stdout: string;
  readonly stderr: string;
}

export interface StepResult {
  /** From 1. */
  readonly number: number;
  /** The title, or a description of the step. */
  readonly title: string;
  readonly kind: 'action' | 'check';
  readonly verb: string;
  readonly ok: boolean;
  readonly milliseconds: number;
  readonly findings: readonly Finding[];
  /** Commands of the last attempt. */
  readonly commands: readonly CommandRecord[];
  /** Why the step could not run. */
  readonly error?: string;
}

export interface ScenarioResult extends JobName {
  /** error: the scenario could not run (no container, or an error in its file). */
  readonly outcome: 'passed' | 'failed' | 'error';
  readonly milliseconds: number;
  /** Number of steps on this host. */
  readonly stepCount: number;
  /** Steps that were run. */
  readonly steps: readonly StepResult[];
  /** The first failure in one line; empty if the scenario passed. */
  readonly fault: string;
  /** Last lines of the journal if the scenario failed. */
  readonly journal: string;
  /** Name of the container if it was kept. */
  readonly kept: string | undefined;
  /** Prefix of commands in the container: ['podman', 'exec', NAME]. */
  readonly enter: readonly string[];
}

export interface LeftOut extends Omit<JobName, 'title'> {
  readonly reason: string;
}

export interface Results {
  /** Sorted by host, then in the order of scenarios. */
  readonly scenarios: readonly ScenarioResult[];
  readonly leftOut: readonly LeftOut[];
  readonly milliseconds: number;
  readonly passed: boolean;
}

/** Events of a run. */
export type ScenarioEvent =
  | { readonly kind: 'scenarios-planned'; readonly jobs: readonly JobName[]; readonly leftOut: readonly LeftOut[] }
  | { readonly kind: 'set-building'; readonly set: PackageSet; readonly target: string }
  | ({ readonly kind: 'scenario-started' } & JobName)
  /** `step`: as StepResult.title; `number` of `count`, from 1. */
  | {
      readonly kind: 'step-started';
      readonly host: string;
      readonly scenario: string;
      readonly number: number;
      readonly count: number;
      readonly step: string;
    }
  | { readonly kind: 'step-finished'; readonly host: string; readonly scenario: string; readonly result: StepResult }
  | { readonly kind: 'scenario-finished'; readonly result: ScenarioResult };

export type OnScenarioEvent = (event: ScenarioEvent) => void;
