import type { HostId } from '../machine.ts';
import type { Mutation } from '../mutations.ts';

/** Packages with one fault, and the check that must detect it. */
export interface Fault {
  readonly name: string;
  readonly host: HostId;
  readonly scenario: string;
  /** By the package's name. */
  readonly broken: Readonly<Record<string, Mutation>>;
  /** Part of the report of the first failed step: its title, expectation or result. */
  readonly noticed: string | RegExp;
}
