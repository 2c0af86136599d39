import { z } from 'zod';
import {
  absolutePath,
  command,
  mode,
  packageNames,
  packageSet,
  packageSetOrNone,
  seconds,
  textExpectation,
  unitName,
} from './expectation.ts';

/**
 * How packages are installed: `repository` creates a local repository for the package manager; `files` passes package
 * files to the package manager; `low-level` passes the files to dpkg or rpm.
 */
const via = z.enum(['repository', 'files', 'low-level']).default('repository');

/** Options of all package manager actions. */
const outcome = {
  /** The action must fail. */
  fails: z.boolean().default(false),
  /** Standard output and standard error together. */
  output: textExpectation.optional(),
  timeout: seconds.optional(),
  environment: z.record(z.string(), z.string()).optional(),
};

/**
 * Actions, which change the host, by name. A failed action ends the scenario. The package manager never prompts:
 * conffiles and settings of the administrator are kept, as in unattended upgrades.
 */
export const actions = {
  /** Installs packages. */
  install: z.strictObject({ install: packageNames, from: packageSet.default('current'), via, ...outcome }),
  /** Upgrades or downgrades installed packages to another set. */
  change: z.strictObject({ change: packageNames, to: packageSet, via, ...outcome }),
  /** Upgrades everything to the newest version in the repositories: apt-get dist-upgrade, dnf upgrade, zypper update. */
  'upgrade-all': z.strictObject({ 'upgrade-all': packageSet, ...outcome }),
  reinstall: z.strictObject({ reinstall: packageNames, via, ...outcome }),
  /** rpm, dnf and zypper have no purge; `purge` means remove there. */
  remove: z.strictObject({
    remove: packageNames,
    purge: z.boolean().default(false),
    via: z.enum(['repository', 'low-level']).default('repository'),
    ...outcome,
  }),
  /** Completes an interrupted installation: dpkg --configure -a and apt-get -f install; dnf, zypper: install again. */
  repair: z.strictObject({ repair: packageNames, from: packageSet.default('current'), ...outcome }),
  /** apt-mark hold, a versionlock or exclude of dnf, zypper addlock. */
  hold: z.strictObject({ hold: packageNames, ...outcome }),
  'end-hold': z.strictObject({ 'end-hold': packageNames, ...outcome }),
  /** Replaces the configured repository with that of a set (none: an empty one), and does nothing else. */
  repository: z.strictObject({ repository: packageSetOrNone, ...outcome }),
  run: z.strictObject({
    run: command,
    stdin: z.string().optional(),
    environment: z.record(z.string(), z.string()).optional(),
    user: z.string().optional(),
    /** `any` accepts every status. */
    status: z.union([z.number().int().min(0).max(255), z.literal('any')], 'a number, or any').default(0),
    stdout: textExpectation.optional(),
    stderr: textExpectation.optional(),
    timeout: seconds.optional(),
  }),
  /** Missing parent directories are created with mode 0755. */
  write: z.strictObject({
    write: absolutePath,
    text: z.string(),
    mode: mode.default('0644'),
    append: z.boolean().default(false),
  }),
  /** Copies a file of packaging/scenarios/files. Missing parent directories are created. */
  copy: z.strictObject({
    copy: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'the name of a file in packaging/scenarios/files'),
    to: absolutePath,
    mode: mode.default('0755'),
  }),
  /** Deletes files, links and directories with their contents. A missing path is not an error. */
  delete: z.strictObject({ delete: z.union([absolutePath.transform((path) => [path]), z.array(absolutePath).min(1)]) }),
  /** Records the state of the file system under a name. */
  snapshot: z.strictObject({ snapshot: z.string(), below: z.array(absolutePath).min(1).default(['/']) }),
  /** Records the main process of the unit under a name. */
  'remember-process': z.strictObject({ 'remember-process': z.string(), unit: unitName.default('kubelet.service') }),
  /** Waits; seconds. */
  wait: z.strictObject({ wait: seconds }),
} as const;

export type ActionName = keyof typeof actions;
export type Action = { [Name in ActionName]: { readonly verb: Name } & z.output<(typeof actions)[Name]> }[ActionName];
