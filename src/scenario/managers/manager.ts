/** What a package manager is told; each is commands to run one after the other, until one fails. */
export interface PackageManager {
  /** Where it has its own databases, which change with every package. */
  readonly stateDirectories: readonly string[];
  /** Makes the packages of a directory known as the only repository; no other is asked, since there is no network. */
  useRepository(directory: string): Setup;
  install(packages: readonly Wanted[], via: Via): Commands;
  /** Up or down to these versions. */
  change(packages: readonly Wanted[], via: Via, direction: 'up' | 'down'): Commands;
  upgradeAll(): Commands;
  reinstall(packages: readonly Wanted[], via: Via): Commands;
  remove(names: readonly string[], options: { readonly purge: boolean; readonly via: Via }): Commands;
  /** What a person does after an interruption. */
  repair(packages: readonly Wanted[]): Commands;
  hold(names: readonly string[]): Commands;
  endHold(names: readonly string[]): Commands;
  /** Statuses besides 0 that mean success. */
  readonly successes: readonly number[];
  /** Environment of every command. */
  readonly environment: Readonly<Record<string, string>>;
}

export type Via = 'repository' | 'files' | 'low-level';
export type Command = readonly string[];
export type Commands = readonly Command[];

/** A package of a set, as it is in the container. */
export interface Wanted {
  readonly name: string;
  /** As the package manager prints it: 1.36.4-1. */
  readonly version: string;
  /** Absolute path in the container. */
  readonly file: string;
}

/** A file to write, and what to run then. */
export interface Setup {
  readonly path: string;
  readonly text: string;
  readonly commands: Commands;
}

export function namesOf(packages: readonly Wanted[]): string[] {
  return packages.map(({ name }) => name);
}

export function filesOf(packages: readonly Wanted[]): string[] {
  return packages.map(({ file }) => file);
}

/** The version as rpm's tools take it in NAME-VERSION. */
export function nameVersions(packages: readonly Wanted[], separator: string): string[] {
  return packages.map(({ name, version }) => `${name}${separator}${version}`);
}
