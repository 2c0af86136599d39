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

/** What a person can run to see the same. */
export interface CommandRecord {
  readonly command: readonly string[];
  readonly status: number;
  /** Shortened where long. */
  readonly stdout: string;
  readonly stderr: string;
}

export interface StepResult {
  /** From 1. */
  readonly number: number;
  /** Its own title, or its words. */
  readonly title: string;
  readonly kind: 'action' | 'check';
  readonly verb: string;
  readonly ok: boolean;
  readonly milliseconds: number;
  readonly findings: readonly Finding[];
  /** Those of the last look. */
  readonly commands: readonly CommandRecord[];
  /** Why it could not be done at all. */
  readonly error?: string;
}

export interface ScenarioResult extends JobName {
  /** error: the scenario could not be run (no container, a fault in its file). */
  readonly outcome: 'passed' | 'failed' | 'error';
  readonly milliseconds: number;
  /** How many steps there are on this host. */
  readonly stepCount: number;
  /** Those that were done. */
  readonly steps: readonly StepResult[];
  /** One line for lists: the first thing that was wrong; empty when it passed. */
  readonly fault: string;
  /** Last lines of the journal, where it failed. */
  readonly journal: string;
  /** The container's name, where it was kept. */
  readonly kept: string | undefined;
  /** The engine's command in front of what is run in the container: ['podman', 'exec', NAME]. */
  readonly enter: readonly string[];
}

export interface LeftOut extends Omit<JobName, 'title'> {
  readonly reason: string;
}

export interface Results {
  /** By host, then as scenarios are sorted. */
  readonly scenarios: readonly ScenarioResult[];
  readonly leftOut: readonly LeftOut[];
  readonly milliseconds: number;
  readonly passed: boolean;
}

/** What happens while scenarios run. */
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
