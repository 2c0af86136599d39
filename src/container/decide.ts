import type { EngineName } from './engine.ts';
import type { CgroupMount, HostFacts } from './host-facts.ts';

/** How containers are run on this machine by this engine. */
export interface Decisions {
  /** Flags before the engine's command: `podman FLAGS run ...`. */
  readonly globalFlags: readonly string[];
  /** Flags of every `run`. */
  readonly runFlags: readonly string[];
  /**
   * Where the engine cannot use this machine's cgroups: each container gets a cgroup v2 of its own in a private mount
   * namespace, and groups below these directories. `parents` are the v1 hierarchies, for containers with controllers.
   */
  readonly privateCgroups: { readonly parents: readonly string[] } | undefined;
  /** Why systemd cannot be PID 1; undefined where it can. */
  readonly withoutSystemd: string | undefined;
  /** How this machine differs from an ordinary one; sentences for people. */
  readonly notes: readonly string[];
}

/** capabilities(7), linux/capability.h */
const CAP_SYS_ADMIN = 21n;
const CAP_SYS_RESOURCE = 24n;

export type CgroupMode = 'v2' | 'hybrid' | 'v1' | 'none';

/** systemd's words: v2 alone, v1 with a v2 without controllers beside it, v1 alone. */
export function cgroupMode(mounts: readonly CgroupMount[]): CgroupMode {
  if (mounts.some(({ path, version }) => version === 2 && path === '/sys/fs/cgroup')) return 'v2';
  if (mounts.some(({ version }) => version === 2)) return 'hybrid';
  return mounts.length > 0 ? 'v1' : 'none';
}

/** Facts in, decisions out; nothing is looked at or changed here. */
export function decide(engine: EngineName, facts: HostFacts): Decisions {
  const mode = cgroupMode(facts.cgroups);
  return engine === 'podman' ? decidePodman(facts, mode) : decideDocker(facts, mode);
}

function decidePodman(facts: HostFacts, mode: CgroupMode): Decisions {
  const notes: string[] = [];
  const globalFlags: string[] = [];
  const runFlags: string[] = [];
  let withoutSystemd: string | undefined;
  const root = facts.user === 0;

  const own = mode !== 'v2' && root && has(facts, CAP_SYS_ADMIN) && facts.programs.includes('unshare');
  if (own) {
    notes.push(
      `This machine's cgroups are ${WORDS[mode]}; each container gets a cgroup v2 of its own in a private mount namespace.`,
    );
    if (facts.programs.includes('crun')) globalFlags.push('--runtime=crun');
    // podman would write to the hierarchies of this machine.
    runFlags.push('--cgroups=disabled', '--cgroupns=private');
  } else if (mode !== 'v2') {
    withoutSystemd = root
      ? `this machine's cgroups are ${WORDS[mode]}, and a cgroup v2 for containers alone needs unshare (util-linux) and CAP_SYS_ADMIN`
      : `this machine's cgroups are ${WORDS[mode]}, which podman without root cannot give to a container`;
  }
  if (own || !facts.systemd) globalFlags.push('--cgroup-manager=cgroupfs');
  if (!facts.systemd) {
    // Both ask systemd's journal otherwise.
    globalFlags.push('--events-backend=file');
    runFlags.push('--log-driver=k8s-file');
    if (!root && mode === 'v2') {
      withoutSystemd = 'podman without root has systemd give a container its cgroups, and systemd does not run here';
    }
  }
  if (root && !has(facts, CAP_SYS_RESOURCE)) {
    notes.push('No limit of resources can be raised here (no CAP_SYS_RESOURCE); containers get those of this process.');
    const { openFiles, processes } = facts.hardLimits;
    if (openFiles !== undefined) runFlags.push(`--ulimit=nofile=${openFiles}:${openFiles}`);
    // podman lowers its own limit to the largest process number, and can give no more than it has.
    const nproc = Math.min(processes ?? facts.pidMax, facts.pidMax);
    runFlags.push(`--ulimit=nproc=${nproc}:${nproc}`);
  }
  if (!root) notes.push('podman runs without root; scenarios that need /dev/kmsg or kernel settings are left out.');
  return {
    globalFlags,
    runFlags,
    privateCgroups: own ? { parents: parents(facts.cgroups) } : undefined,
    withoutSystemd,
    notes,
  };
}

function decideDocker(facts: HostFacts, mode: CgroupMode): Decisions {
  const withoutSystemd =
    mode === 'v2' || facts.platform !== 'linux'
      ? undefined
      : `this machine's cgroups are ${WORDS[mode]}, which docker cannot give to a container without giving away its own; use podman as root`;
  return { globalFlags: [], runFlags: [], privateCgroups: undefined, withoutSystemd, notes: [] };
}

const WORDS: Readonly<Record<CgroupMode, string>> = {
  v2: 'v2',
  hybrid: 'v1 with a v2 beside it',
  v1: 'v1',
  none: 'not mounted',
};

function has(facts: HostFacts, capability: bigint): boolean {
  return ((facts.capabilities >> capability) & 1n) === 1n;
}

/** The group of this process in each v1 hierarchy; a container's groups are made below it, so that its limits hold. */
function parents(mounts: readonly CgroupMount[]): string[] {
  return mounts.filter(({ version }) => version === 1).map(({ path, own }) => (own === '/' ? path : `${path}${own}`));
}
