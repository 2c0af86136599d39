import { z } from 'zod';
import {
  absolutePath,
  command,
  mode,
  packageNames,
  packageSet,
  seconds,
  textExpectation,
  unitName,
} from './expectation.ts';

/** Options of all checks. */
const timing = {
  /** Seconds until the check must succeed; it is repeated until then. */
  within: z.number().min(0).max(3600).default(5),
  /** Seconds for which it must then keep succeeding. */
  for: seconds.optional(),
};

/** Checks by name. */
export const checks = {
  file: z.strictObject({
    file: absolutePath,
    exists: z.boolean().default(true),
    type: z.enum(['file', 'directory', 'symlink']).optional(),
    mode: mode.optional(),
    /** user:group */
    owner: z.string().optional(),
    /** Target of a symbolic link. */
    target: z.string().optional(),
    text: textExpectation.optional(),
    /** Same type, mode, owner and contents as in that snapshot, or absent in both. */
    'unchanged-since': z.string().optional(),
    ...timing,
  }),
  unit: z.strictObject({
    unit: unitName,
    active: z.enum(['active', 'inactive', 'failed', 'activating', 'deactivating']).optional(),
    /** systemctl show -p LoadState: loaded, not-found, masked. */
    load: z.string().optional(),
    /** As systemctl is-enabled prints it: enabled, disabled, masked, static, not-found. */
    enabled: z.string().optional(),
    /** All drop-ins, in the order in which systemd reads them. */
    'drop-ins': z.array(z.string()).optional(),
    /** False if systemd has loaded the current files of the unit. */
    'needs-reload': z.boolean().optional(),
    /** Output of systemctl cat. */
    cat: textExpectation.optional(),
    ...timing,
  }),
  process: z.strictObject({
    /** The unit of the main process. */
    process: unitName,
    /** Exactly these arguments in this order, starting with the program; for a script, without the interpreter. */
    arguments: z.array(z.coerce.string()).optional(),
    'arguments-end': z.array(z.coerce.string()).optional(),
    /** The arguments joined by spaces. */
    'command-line': textExpectation.optional(),
    /** Exact values; null means not set. */
    environment: z.record(z.string(), z.string().nullable()).optional(),
    /** Still the process that was recorded under this name. */
    'same-as': z.string().optional(),
    /** Not the recorded process, but one that was started later. */
    'restarted-since': z.string().optional(),
    ...timing,
  }),
  package: z.strictObject({
    package: z.string(),
    installed: z.boolean().default(true),
    /** As printed by dpkg or rpm. */
    version: z.string().optional(),
    /** The version in this set. */
    from: packageSet.optional(),
    /** deb only: as dpkg-query's ${db:Status-Abbrev}, without blanks: ii, rc, hi. */
    state: z.string().optional(),
    ...timing,
  }),
  /**
   * dpkg --audit and apt-get check, or rpm --verify --nofiles and the package manager's own check, find no problem with these
   * packages; and none of their files except configuration files is changed (dpkg --verify, rpm --verify).
   */
  consistent: z.strictObject({ consistent: packageNames, ...timing }),
  command: z.strictObject({
    command,
    status: z.number().int().min(0).max(255).default(0),
    stdout: textExpectation.optional(),
    stderr: textExpectation.optional(),
    environment: z.record(z.string(), z.string()).optional(),
    user: z.string().optional(),
    ...timing,
  }),
  /** Journal of a unit since boot, newest lines last. */
  journal: z.strictObject({ journal: unitName, text: textExpectation, ...timing }),
  /** No file below the snapshot's directories was added, removed or changed, except those that match these globs. */
  'same-files': z.strictObject({
    'same-files': z.string(),
    /** `*` matches within a name, `**` any number of directories. A glob for a directory does not match its contents. */
    but: z.array(z.string()).default([]),
    /** Compares file times too, in seconds. */
    times: z.boolean().default(false),
    ...timing,
  }),
} as const;

export type CheckName = keyof typeof checks;
export type Check = { [Name in CheckName]: { readonly verb: Name } & z.output<(typeof checks)[Name]> }[CheckName];
