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
 * How packages come to a host: `repository`, a local one that is set up for the package manager; `files`, the package
 * files handed to the package manager; `low-level`, the files handed to dpkg or rpm.
 */
const via = z.enum(['repository', 'files', 'low-level']).default('repository');

/** What all actions of the package manager share. */
const outcome = {
  /** It must not succeed. */
  fails: z.boolean().default(false),
  /** What it prints, both streams together. */
  output: textExpectation.optional(),
  timeout: seconds.optional(),
  environment: z.record(z.string(), z.string()).optional(),
};

/**
 * What is done to the host, by the name that a step gives it. One that does not come out as it must ends the scenario. The
 * package manager never asks back: conffiles and settings of the administrator are kept, as unattended upgrades do.
 */
export const actions = {
  /** Installs packages that are not there yet. */
  install: z.strictObject({ install: packageNames, from: packageSet.default('current'), via, ...outcome }),
  /** Brings installed packages to another set, up or down. */
  change: z.strictObject({ change: packageNames, to: packageSet, via, ...outcome }),
  /** All that is installed, to the newest that the repositories have: apt-get dist-upgrade, dnf upgrade, zypper update. */
  'upgrade-all': z.strictObject({ 'upgrade-all': packageSet, ...outcome }),
  reinstall: z.strictObject({ reinstall: packageNames, via, ...outcome }),
  /** rpm, dnf and zypper have no purge: there it is remove. */
  remove: z.strictObject({
    remove: packageNames,
    purge: z.boolean().default(false),
    via: z.enum(['repository', 'low-level']).default('repository'),
    ...outcome,
  }),
  /** Finishes what was interrupted: dpkg --configure -a and apt-get -f install; dnf, zypper: install again. */
  repair: z.strictObject({ repair: packageNames, from: packageSet.default('current'), ...outcome }),
  /** apt-mark hold, a versionlock or exclude of dnf, zypper addlock. */
  hold: z.strictObject({ hold: packageNames, ...outcome }),
  'end-hold': z.strictObject({ 'end-hold': packageNames, ...outcome }),
  /** Sets the repository of a set (none: an empty one) up for the package manager, instead of the one before, and does nothing else. */
  repository: z.strictObject({ repository: packageSetOrNone, ...outcome }),
  run: z.strictObject({
    run: command,
    stdin: z.string().optional(),
    environment: z.record(z.string(), z.string()).optional(),
    user: z.string().optional(),
    /** `any`: whatever it is. */
    status: z.union([z.number().int().min(0).max(255), z.literal('any')], 'a number, or any').default(0),
    stdout: textExpectation.optional(),
    stderr: textExpectation.optional(),
    timeout: seconds.optional(),
  }),
  /** Directories above it are made, 0755. */
  write: z.strictObject({
    write: absolutePath,
    text: z.string(),
    mode: mode.default('0644'),
    append: z.boolean().default(false),
  }),
  /** A file of packaging/scenarios/files, for helpers that several scenarios share. Directories above it are made. */
  copy: z.strictObject({
    copy: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'the name of a file in packaging/scenarios/files'),
    to: absolutePath,
    mode: mode.default('0755'),
  }),
  /** Files, links and directories with all that is in them; what is not there is no failure. */
  delete: z.strictObject({ delete: z.union([absolutePath.transform((path) => [path]), z.array(absolutePath).min(1)]) }),
  /** Keeps the state of the file system under a name. */
  snapshot: z.strictObject({ snapshot: z.string(), below: z.array(absolutePath).min(1).default(['/']) }),
  /** Keeps which process is the unit's main one, under a name. */
  'remember-process': z.strictObject({ 'remember-process': z.string(), unit: unitName.default('kubelet.service') }),
  /** Seconds in which nothing is done. */
  wait: z.strictObject({ wait: seconds }),
} as const;

export type ActionName = keyof typeof actions;
export type Action = { [Name in ActionName]: { readonly verb: Name } & z.output<(typeof actions)[Name]> }[ActionName];
