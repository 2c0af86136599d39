import type { EngineName } from './engine.ts';
import type { CgroupMount, HostFacts } from './host-facts.ts';

/** How to run containers with an engine on this machine. */
export interface Decisions {
  /** Flags before the engine's command: `podman FLAGS run ...`. */
  readonly globalFlags: readonly string[];
  readonly runFlags: readonly string[];
  /**
   * Set if the engine cannot use this machine's cgroups. Each container then gets its own cgroup v2 in a private mount
   * namespace. Containers with controllers also get groups below `parents`, which are directories of v1 hierarchies.
   */
  readonly privateCgroups: { readonly parents: readonly string[] } | undefined;
  /** Why systemd cannot be PID 1; undefined if it can. */
  readonly withoutSystemd: string | undefined;
  /** Sentences for the user: how this machine differs from a typical one. */
  readonly notes: readonly string[];
}

/** capabilities(7), linux/capability.h */
const CAP_SYS_ADMIN = 21n;
const CAP_SYS_RESOURCE = 24n;

export type CgroupMode = 'v2' | 'hybrid' | 'v1' | 'none';

/** The terms of systemd: `hybrid` is v1 with a mounted v2 without controllers. */
export function cgroupMode(mounts: readonly CgroupMount[]): CgroupMode {
  if (mounts.some(({ path, version }) => version === 2 && path === '/sys/fs/cgroup')) return 'v2';
  if (mounts.some(({ version }) => version === 2)) return 'hybrid';
  return mounts.length > 0 ? 'v1' : 'none';
}

/** Decides how to run containers. Pure. */
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

  const ownCgroup = mode !== 'v2' && root && hasCapability(facts, CAP_SYS_ADMIN) && facts.programs.includes('unshare');
  if (ownCgroup) {
    notes.push(`This machine has ${MODES[mode]}; each container gets its own cgroup v2 in a private mount namespace.`);
    if (facts.programs.includes('crun')) globalFlags.push('--runtime=crun');
    // Otherwise podman writes to the hierarchies of this machine.
    runFlags.push('--cgroups=disabled', '--cgroupns=private');
  } else if (mode !== 'v2') {
    withoutSystemd = root
      ? `this machine has ${MODES[mode]}; a separate cgroup v2 for containers needs unshare (util-linux) and CAP_SYS_ADMIN`
      : `this machine has ${MODES[mode]}, which podman without root cannot pass to a container`;
  }
  if (ownCgroup || !facts.systemd) globalFlags.push('--cgroup-manager=cgroupfs');
  if (!facts.systemd) {
    // podman's defaults need journald.
    globalFlags.push('--events-backend=file');
    runFlags.push('--log-driver=k8s-file');
    if (!root && mode === 'v2') {
      withoutSystemd = 'podman without root needs systemd to create cgroups, and systemd does not run here';
    }
  }
  if (root && !hasCapability(facts, CAP_SYS_RESOURCE)) {
    notes.push('Resource limits cannot be raised (no CAP_SYS_RESOURCE); containers get the limits of this process.');
    const { openFiles, processes } = facts.hardLimits;
    if (openFiles !== undefined) runFlags.push(`--ulimit=nofile=${openFiles}:${openFiles}`);
    // podman lowers its own limit to pid_max and cannot give a container more.
    const nproc = Math.min(processes ?? facts.pidMax, facts.pidMax);
    runFlags.push(`--ulimit=nproc=${nproc}:${nproc}`);
  }
  if (!root) notes.push('podman runs without root; scenarios that need /dev/kmsg or kernel settings are skipped.');
  return {
    globalFlags,
    runFlags,
    privateCgroups: ownCgroup ? { parents: ownV1Groups(facts.cgroups) } : undefined,
    withoutSystemd,
    notes,
  };
}

function decideDocker(facts: HostFacts, mode: CgroupMode): Decisions {
  const withoutSystemd =
    mode === 'v2' || facts.platform !== 'linux'
      ? undefined
      : `this machine has ${MODES[mode]}, which docker can only pass to a container together with its own cgroups; use podman as root`;
  return { globalFlags: [], runFlags: [], privateCgroups: undefined, withoutSystemd, notes: [] };
}

const MODES: Readonly<Record<CgroupMode, string>> = {
  v2: 'cgroup v2',
  hybrid: 'hybrid cgroups (v1 and v2)',
  v1: 'cgroup v1',
  none: 'no mounted cgroups',
};

function hasCapability(facts: HostFacts, capability: bigint): boolean {
  return ((facts.capabilities >> capability) & 1n) === 1n;
}

/** The group of this process in each v1 hierarchy. Groups of containers are below it, so that its limits apply to them. */
function ownV1Groups(mounts: readonly CgroupMount[]): string[] {
  return mounts.filter(({ version }) => version === 1).map(({ path, own }) => (own === '/' ? path : `${path}${own}`));
}
