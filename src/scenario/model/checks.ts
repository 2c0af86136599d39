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

/** What all checks share. */
const timing = {
  /** Seconds in which it must come true; it is looked at again and again until then. */
  within: z.number().min(0).max(3600).default(5),
  /** Seconds for which it must then stay true. */
  for: seconds.optional(),
};

/** What must be so, by the name that a step gives it. */
export const checks = {
  file: z.strictObject({
    file: absolutePath,
    exists: z.boolean().default(true),
    type: z.enum(['file', 'directory', 'symlink']).optional(),
    mode: mode.optional(),
    /** user:group */
    owner: z.string().optional(),
    /** Where a symbolic link leads. */
    target: z.string().optional(),
    text: textExpectation.optional(),
    /** Same kind, mode, owner and bytes as at that snapshot (whatever it is: also absent). */
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
    /** False: systemd has read the unit's files as they are now. */
    'needs-reload': z.boolean().optional(),
    /** What systemctl cat prints. */
    cat: textExpectation.optional(),
    ...timing,
  }),
  process: z.strictObject({
    /** The unit whose main process it is. */
    process: unitName,
    /** Exactly these, in this order, the program first; of an interpreted script, what stands behind the interpreter. */
    arguments: z.array(z.coerce.string()).optional(),
    'arguments-end': z.array(z.coerce.string()).optional(),
    /** The arguments joined by blanks. */
    'command-line': textExpectation.optional(),
    /** Exactly these values; null: not in the environment. */
    environment: z.record(z.string(), z.string().nullable()).optional(),
    /** Still the one that was remembered under this name. */
    'same-as': z.string().optional(),
    /** Another one, started later. */
    'restarted-since': z.string().optional(),
    ...timing,
  }),
  package: z.strictObject({
    package: z.string(),
    installed: z.boolean().default(true),
    /** As dpkg or rpm print it. */
    version: z.string().optional(),
    /** In the version that it has in this set. */
    from: packageSet.optional(),
    /** deb only: as dpkg-query's ${db:Status-Abbrev}, without blanks: ii, rc, hi. */
    state: z.string().optional(),
    ...timing,
  }),
  /**
   * dpkg --audit and apt-get check, or rpm --verify --nofiles and the manager's own, find nothing wrong with these; and no
   * file of theirs is changed (dpkg --verify, rpm --verify) but those that are configuration.
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
  /** What the journal holds of a unit (of this boot), newest lines last. */
  journal: z.strictObject({ journal: unitName, text: textExpectation, ...timing }),
  /** Nothing below the snapshot's directories is new, gone or different, but what these globs (of absolute paths) name. */
  'same-files': z.strictObject({
    'same-files': z.string(),
    /** `*` within a name, `**` any number of directories; a directory's glob does not stand for what is in it. */
    but: z.array(z.string()).default([]),
    /** Times of files (seconds) count too. */
    times: z.boolean().default(false),
    ...timing,
  }),
} as const;

export type CheckName = keyof typeof checks;
export type Check = { [Name in CheckName]: { readonly verb: Name } & z.output<(typeof checks)[Name]> }[CheckName];
