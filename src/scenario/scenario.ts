import { z } from 'zod';

/**
 * A scenario is data: what is done to a host, and what must then be so. packaging/scenarios/NAME.yaml holds one each;
 * the runner (src/scenario) does them step by step in a container. Texts may hold {placeholders}, see PLACEHOLDERS.
 */

export const GROUPS = ['install', 'service', 'kubeadm', 'generator', 'runtime', 'upgrade', 'remove', 'conditions'] as const;

/** What texts of a scenario may name; the host's facts and the packages under test give the values. */
export const PLACEHOLDERS = [
  'env-file', // /etc/default/kubelet, /etc/sysconfig/kubelet
  'units', // /usr/lib/systemd/system
  'drop-ins', // folder that holds kubelet.service.d for 10-kubeadm.conf of this version
  'libexec', // /usr/libexec
  'version', // 1.36.4: of Kubernetes, in the packages under test
  'minor', // 1.36
  'package-version', // 1.36.4-1: as dpkg or rpm prints it, of the packages under test
  'architecture', // amd64
  'packages', // folder in the container with the package files: {packages}/current, {packages}/previous-minor, ...
] as const;

/**
 * Which build of the five packages: the ones under test; the same of the patch and of the minor before; the same
 * version in the next revision; the layout of the official packages of the patch before (kubernetes.io's own, by
 * ../shared facts: conffile drop-in, no generator).
 */
export const PACKAGE_SETS = ['current', 'previous-patch', 'previous-minor', 'next-revision', 'official'] as const;
export type PackageSet = (typeof PACKAGE_SETS)[number];

const packageNames = z.union([z.literal('all'), z.array(z.string()).min(1)]);
const set = z.enum(PACKAGE_SETS);
const command = z.array(z.string()).min(1);
/** A text that must be so; `matches` is a JavaScript regular expression with the flag m. */
const text = z.strictObject({
  equals: z.string().optional(),
  contains: z.union([z.string(), z.array(z.string())]).optional(),
  lacks: z.union([z.string(), z.array(z.string())]).optional(),
  matches: z.string().optional(),
});

/** What is done. A step that fails (a status other than 0) ends the scenario, unless it says `fails: true`. */
const actions = {
  /** from: which set; via: a repository on file:// with the host's package manager (default), or package files by it. */
  install: z.strictObject({ install: packageNames, from: set.default('current'), via: z.enum(['repository', 'files', 'low-level']).default('repository') }),
  /** Brings installed packages to another set, up or down; low-level is dpkg -i or rpm -U. */
  change: z.strictObject({ change: packageNames, to: set, via: z.enum(['repository', 'files', 'low-level']).default('repository') }),
  reinstall: z.strictObject({ reinstall: packageNames }),
  /** rpm, dnf and zypper have no purge: there it is remove. */
  remove: z.strictObject({ remove: packageNames, purge: z.boolean().default(false) }),
  run: z.strictObject({ run: command, stdin: z.string().optional(), environment: z.record(z.string(), z.string()).optional(), status: z.number().int().default(0), stdout: text.optional(), stderr: text.optional(), timeout: z.number().positive().optional() }),
  write: z.strictObject({ write: z.string(), text: z.string(), mode: z.string().regex(/^0[0-7]{3,4}$/).default('0644') }),
  delete: z.strictObject({ delete: z.array(z.string()).min(1) }),
  /** Keeps the state of the file system, or the main process of a unit, under a name for later checks. */
  snapshot: z.strictObject({ snapshot: z.string(), below: z.array(z.string()).default(['/']) }),
  'remember-process': z.strictObject({ 'remember-process': z.string(), unit: z.string().default('kubelet') }),
} as const;

/** What must be so. Each is looked at again until it holds or `within` (seconds, default 5) are over. */
const checks = {
  file: z.strictObject({
    file: z.string(),
    exists: z.boolean().default(true),
    mode: z.string().optional(),
    owner: z.string().optional(),
    /** Where a symbolic link leads. */
    target: z.string().optional(),
    text: text.optional(),
    /** Same bytes as at that snapshot. */
    'unchanged-since': z.string().optional(),
  }),
  unit: z.strictObject({
    unit: z.string(),
    active: z.enum(['active', 'inactive', 'failed', 'activating']).optional(),
    /** As systemctl is-enabled prints it. */
    enabled: z.string().optional(),
    /** All drop-ins below /etc, /run and /usr/lib in the order in which systemd reads them. */
    'drop-ins': z.array(z.string()).optional(),
    cat: text.optional(),
  }),
  process: z.strictObject({
    /** The unit whose main process it is. */
    process: z.string(),
    /** Exactly these arguments in this order, the program first. */
    arguments: z.array(z.string()).optional(),
    /** The last ones. */
    'arguments-end': z.array(z.string()).optional(),
    environment: z.record(z.string(), z.string()).optional(),
    /** Still the one that was remembered under this name; `restarted-since`: another one. */
    'same-as': z.string().optional(),
    'restarted-since': z.string().optional(),
  }),
  package: z.strictObject({
    package: z.string(),
    installed: z.boolean().default(true),
    version: z.string().optional(),
    /** deb only: as dpkg-query's ${db:Status-Abbrev}, without blanks: ii, rc, hi. */
    state: z.string().optional(),
  }),
  /** dpkg --audit and apt-get check, or rpm --verify and dnf/zypper's own, find nothing wrong with these. */
  consistent: z.strictObject({ consistent: packageNames }),
  command: z.strictObject({ command, status: z.number().int().default(0), stdout: text.optional(), stderr: text.optional() }),
  journal: z.strictObject({ journal: z.string(), text }),
  /** Nothing below the snapshot's folders is new, gone or different, but what these globs name. */
  'same-files': z.strictObject({ 'same-files': z.string(), but: z.array(z.string()).default([]) }),
} as const;

export const ACTION_NAMES = Object.keys(actions) as (keyof typeof actions)[];
export const CHECK_NAMES = Object.keys(checks) as (keyof typeof checks)[];
