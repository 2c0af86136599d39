import type { PackageSet } from '../model/expectation.ts';
import type { ScenarioHost } from '../model/host.ts';
import type { Finding } from '../model/text.ts';

/** A command for a container. */
export interface ProbeCommand {
  readonly command: readonly string[];
  readonly stdin?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly user?: string;
  /** Seconds. */
  readonly timeout?: number;
}

/** Result of a command. */
export interface Answer {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A probe: the commands to run, and how to evaluate their results. Pure; the commands can also be run by hand. */
export interface Probe {
  readonly commands: readonly ProbeCommand[];
  /** One answer per command; returns at least one finding. */
  evaluate(answers: readonly Answer[]): Finding[];
}

/** State of the scenario that probes need. */
export interface ProbeContext {
  readonly host: ScenarioHost;
  /** Resolves `all` to names. */
  names(wanted: 'all' | readonly string[]): readonly string[];
  versionIn(set: PackageSet, name: string): string;
  /** Recorded main processes by name. */
  readonly processes: ReadonlyMap<string, string>;
}

export function probeCommand(...command: string[]): ProbeCommand {
  return { command };
}

export const NO_ANSWER: Answer = { status: 255, stdout: '', stderr: '' };
