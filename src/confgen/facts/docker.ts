import type { CgroupFacts, RuntimeFacts } from '../model/facts.ts';
import type { HostReader } from './host-reader.ts';
import { runtimeSocket } from './runtime.ts';

const DAEMON_FILE = '/etc/docker/daemon.json';
const DOCKER_SOCKET = '/run/docker.sock';
const CRI_DOCKERD_SOCKET = '/run/cri-dockerd.sock';
const CRI_DOCKERD_UNITS = ['/etc', '/usr/lib', '/lib'].map((root) => `${root}/systemd/system/cri-docker.service`);
const DRIVER_OPTION = /^native\.cgroupdriver=(systemd|cgroupfs)$/;

/** Docker, from `hosts` and `exec-opts` (native.cgroupdriver) in daemon.json (dockerd(8)). */
export function readDocker(reader: HostReader, cgroup: CgroupFacts): RuntimeFacts | undefined {
  const present = reader.kind(DAEMON_FILE) !== 'absent';
  const daemon = readDaemonFile(reader);
  const host = strings(daemon?.hosts).find((each) => each.startsWith('unix:///'));
  const { endpoint, socket } = runtimeSocket(reader, host?.slice('unix://'.length) ?? DOCKER_SOCKET);
  if (!socket && !present) return undefined;
  const options = strings(daemon?.['exec-opts']).filter((option) => DRIVER_OPTION.test(option));
  const option = options[options.length - 1];
  const configured = option === undefined ? undefined : DRIVER_OPTION.exec(option)?.[1];
  return {
    name: 'docker',
    endpoint,
    socket,
    cgroupDriver:
      configured === 'systemd' || configured === 'cgroupfs'
        ? configured
        : daemon === undefined
          ? undefined
          : defaultDriver(cgroup),
    cgroupDriverSource: option === undefined ? 'default' : `${DAEMON_FILE}: exec-opts ${option}`,
    criDisabled: false,
    reportsCgroupDriver: undefined,
  };
}

/** cri-dockerd. It has no configuration and uses the cgroup driver of Docker. */
export function readCriDockerd(reader: HostReader, cgroup: CgroupFacts): RuntimeFacts | undefined {
  const { endpoint, socket } = runtimeSocket(reader, CRI_DOCKERD_SOCKET);
  if (!socket && !CRI_DOCKERD_UNITS.some((path) => reader.kind(path) === 'file')) return undefined;
  const docker = readDocker(reader, cgroup);
  return {
    name: 'cri-dockerd',
    endpoint,
    socket,
    cgroupDriver: docker?.cgroupDriver,
    cgroupDriverSource: docker?.cgroupDriverSource ?? 'default',
    criDisabled: false,
    reportsCgroupDriver: undefined,
  };
}

/** Docker >= 20.10 defaults to systemd on cgroup v2 with systemd. Earlier releases do not run on cgroup v2. */
function defaultDriver({ mode, systemd }: CgroupFacts): RuntimeFacts['cgroupDriver'] {
  if (mode === 'unknown') return undefined;
  return mode === 'v2' && systemd ? 'systemd' : 'cgroupfs';
}

interface DaemonFile {
  readonly hosts?: unknown;
  readonly 'exec-opts'?: unknown;
}

/** @returns the settings, empty when there is no file; undefined when the file is unreadable or invalid */
function readDaemonFile(reader: HostReader): DaemonFile | undefined {
  const text = reader.text(DAEMON_FILE);
  if (text === undefined) return reader.isUnreadable(DAEMON_FILE) ? undefined : {};
  if (text.trim() === '') return {};
  let reason = 'not a JSON object';
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  } catch (error) {
    reason = error instanceof SyntaxError ? 'invalid JSON' : 'nested too deeply';
  }
  reader.report({
    code: 'invalid-json',
    level: 'warning',
    what: `Docker cannot read ${DAEMON_FILE}, so its settings are not known`,
    evidence: [`${DAEMON_FILE}: ${reason}`],
    hint: `correct ${DAEMON_FILE}`,
  });
  return undefined;
}

function strings(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];
}
