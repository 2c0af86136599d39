import type { CgroupFacts, RuntimeFacts } from '../model/facts.ts';
import { readDocker } from './docker.ts';
import type { Reading } from './reading.ts';
import { runtimeSocket } from './runtime.ts';

const DEFAULT_SOCKET = '/run/cri-dockerd.sock';
const UNITS = ['/etc', '/usr/lib', '/lib'].map((root) => `${root}/systemd/system/cri-docker.service`);

/** cri-dockerd has no configuration of its own: its cgroup driver is Docker's. */
export function readCriDockerd(reading: Reading, cgroup: CgroupFacts): RuntimeFacts | undefined {
  const { endpoint, socket } = runtimeSocket(reading, DEFAULT_SOCKET);
  if (!socket && !UNITS.some((path) => reading.kind(path) === 'file')) return undefined;
  const docker = readDocker(reading, cgroup);
  return {
    name: 'cri-dockerd',
    endpoint,
    socket,
    cgroupDriver: docker?.cgroupDriver,
    cgroupDriverSource: docker?.cgroupDriverSource ?? 'default',
    criDisabled: false,
    tellsCgroupDriver: undefined,
  };
}
