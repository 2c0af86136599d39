import type { CgroupFacts } from '../model/facts.ts';
import type { Reading } from './reading.ts';

/** cgroups(7): a unified tree has cgroup.controllers at its root; systemd mounts a hybrid's beside the v1 ones. */
export function readCgroup(reading: Reading): CgroupFacts {
  const systemd = reading.kind('/run/systemd/system') === 'directory';
  if (reading.kind('/sys/fs/cgroup/cgroup.controllers') === 'file') return { mode: 'v2', systemd };
  if (reading.kind('/sys/fs/cgroup/unified/cgroup.controllers') === 'file') return { mode: 'hybrid', systemd };
  const v1 = ['memory', 'cpu', 'cpu,cpuacct', 'cpuset', 'systemd'];
  const found = v1.some((name) => reading.kind(`/sys/fs/cgroup/${name}`) === 'directory');
  return { mode: found ? 'v1' : 'unknown', systemd };
}
