import { access, constants, readFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { pathExists } from 'fs-extra/esm';

export interface CgroupMount {
  /** Mount point: /sys/fs/cgroup/memory. */
  readonly path: string;
  readonly version: 1 | 2;
  /** Controllers of a v1 hierarchy: memory, cpu, name=systemd; empty for v2. */
  readonly controllers: readonly string[];
  /** The group of this process, relative to the mount point: /, /user.slice. */
  readonly own: string;
}

/** The facts about this machine that decide.ts uses. */
export interface HostFacts {
  readonly platform: string;
  readonly user: number;
  /** Effective capabilities as a bit set (capabilities(7)). */
  readonly capabilities: bigint;
  /** Hard limits (getrlimit(2)); undefined if unlimited. */
  readonly hardLimits: { readonly openFiles: number | undefined; readonly processes: number | undefined };
  /** The largest process number (proc_sys_kernel(5)). */
  readonly pidMax: number;
  readonly cgroups: readonly CgroupMount[];
  /** Whether systemd runs this machine (sd_booted(3)). */
  readonly systemd: boolean;
  /** Existing character devices that a container may need. */
  readonly devices: readonly string[];
  readonly programs: readonly string[];
}

/** Reads the facts of this machine; changes nothing. */
export async function probeHost(environment: NodeJS.ProcessEnv = process.env): Promise<HostFacts> {
  const [status, limits, mounts, own] = await Promise.all([
    text('/proc/self/status'),
    text('/proc/self/limits'),
    text('/proc/self/mountinfo'),
    text('/proc/self/cgroup'),
  ]);
  return {
    platform: process.platform,
    user: process.geteuid?.() ?? -1,
    capabilities: BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`),
    hardLimits: { openFiles: hardLimit(limits, 'Max open files'), processes: hardLimit(limits, 'Max processes') },
    pidMax: Number((await text('/proc/sys/kernel/pid_max')).trim()) || 32_768,
    cgroups: parseCgroups(mounts, own),
    systemd: await pathExists('/run/systemd/system'),
    devices: await filter(['/dev/kmsg'], pathExists),
    programs: await filter(['crun', 'runc', 'unshare', 'mmdebstrap'], (name) => onPath(name, environment)),
  };
}

/**
 * The cgroup hierarchies below /sys/fs/cgroup.
 *
 * @param mountinfo /proc/self/mountinfo (proc_pid_mountinfo(5))
 * @param own /proc/self/cgroup (cgroups(7)): one `ID:CONTROLLERS:PATH` per line
 */
export function parseCgroups(mountinfo: string, own: string): CgroupMount[] {
  const groups = new Map(
    own.split('\n').flatMap((line) => {
      const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
      return controllers === undefined || path === undefined ? [] : [[controllers, path] as const];
    }),
  );
  const mounts = new Map<string, CgroupMount>();
  for (const line of mountinfo.split('\n')) {
    const [before = '', after = ''] = line.split(' - ');
    const [, , , root = '/', path = ''] = before.split(' ');
    const [type, , options = ''] = after.split(' ');
    if ((type !== 'cgroup' && type !== 'cgroup2') || !/^\/sys\/fs\/cgroup(\/[^\\]+)?$/.test(path)) continue;
    const controllers =
      type === 'cgroup2'
        ? []
        : options.split(',').filter((word) => !MOUNT_OPTIONS.has(word) && !word.includes('agent='));
    const group = groups.get(controllers.join(',')) ?? '/';
    // A mount can show part of a hierarchy. A group outside of that part has no path.
    const below = root === '/' ? group : group.startsWith(`${root}/`) ? group.slice(root.length) : '/';
    mounts.set(path, {
      path,
      version: type === 'cgroup2' ? 2 : 1,
      controllers,
      own: below.includes('..') ? '/' : below,
    });
  }
  return [...mounts.values()];
}

const MOUNT_OPTIONS = new Set(['rw', 'ro', 'xattr', 'clone_children', 'noprefix', 'cpuset_v2_mode', 'none']);

/** Reads a line of /proc/self/limits, with the columns name, soft limit, hard limit and unit. */
function hardLimit(limits: string, name: string): number | undefined {
  const line = limits.split('\n').find((line) => line.startsWith(`${name} `)) ?? '';
  const [, hard] = line.slice(name.length).trim().split(/\s+/);
  return hard === undefined || !/^\d+$/.test(hard) ? undefined : Number(hard);
}

async function text(path: string): Promise<string> {
  return await readFile(path, 'utf8').catch(() => '');
}

async function onPath(name: string, environment: NodeJS.ProcessEnv): Promise<boolean> {
  for (const directory of (environment.PATH ?? '').split(delimiter)) {
    const found = await access(join(directory || '.', name), constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return true;
  }
  return false;
}

async function filter(words: readonly string[], holds: (word: string) => Promise<boolean>): Promise<string[]> {
  const found = await Promise.all(words.map(holds));
  return words.filter((_, index) => found[index]);
}
