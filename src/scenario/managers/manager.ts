/** Commands of a package manager. They are run in order until one fails. */
export interface PackageManager {
  /** Directories of its databases, which change with every installation. */
  readonly stateDirectories: readonly string[];
  /** Configures a directory as the only repository, because there is no network. */
  useRepository(directory: string): Setup;
  install(packages: readonly Wanted[], via: Via): Commands;
  /** Upgrades or downgrades to these versions. */
  change(packages: readonly Wanted[], via: Via, direction: 'up' | 'down'): Commands;
  upgradeAll(): Commands;
  reinstall(packages: readonly Wanted[], via: Via): Commands;
  remove(names: readonly string[], options: { readonly purge: boolean; readonly via: Via }): Commands;
  /** Recovers from an interrupted installation. */
  repair(packages: readonly Wanted[]): Commands;
  hold(names: readonly string[]): Commands;
  endHold(names: readonly string[]): Commands;
  /** Exit statuses other than 0 that mean success. */
  readonly successes: readonly number[];
  /** Environment of every command. */
  readonly environment: Readonly<Record<string, string>>;
}

export type Via = 'repository' | 'files' | 'low-level';
export type Command = readonly string[];
export type Commands = readonly Command[];

/** A package of a set in the container. */
export interface Wanted {
  readonly name: string;
  /** As printed by the package manager: 1.36.4-1. */
  readonly version: string;
  /** Absolute path in the container. */
  readonly file: string;
}

/** A file to write, and commands to run afterwards. */
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

/** NAME and version joined by a separator. */
export function nameVersions(packages: readonly Wanted[], separator: string): string[] {
  return packages.map(({ name, version }) => `${name}${separator}${version}`);
}
