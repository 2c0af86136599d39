import type { HostId } from '../machine.ts';
import type { Mutation } from '../mutations.ts';

/** Packages that are broken in one way, and the check that must notice it. */
export interface Fault {
  readonly name: string;
  readonly host: HostId;
  readonly scenario: string;
  /** By the package's name. */
  readonly broken: Readonly<Record<string, Mutation>>;
  /** What stands in the report of the first step that fails: its title, what it expected or found. */
  readonly noticed: string | RegExp;
}
