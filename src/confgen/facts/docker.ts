import type { CgroupFacts, RuntimeFacts } from '../model/facts.ts';
import { shown } from '../text/arguments.ts';
import type { Reading } from './reading.ts';
import { runtimeSocket } from './runtime.ts';

const DAEMON_FILE = '/etc/docker/daemon.json';
const DEFAULT_SOCKET = '/run/docker.sock';
const DRIVER_OPTION = /^native\.cgroupdriver=(systemd|cgroupfs)$/;

/** Docker, from daemon.json (dockerd(8)): `hosts`, and `native.cgroupdriver` of `exec-opts`. */
export function readDocker(reading: Reading, cgroup: CgroupFacts): RuntimeFacts | undefined {
  const present = reading.kind(DAEMON_FILE) !== 'absent';
  const daemon = readDaemon(reading);
  const host = strings(daemon.settings?.hosts).find((each) => each.startsWith('unix:///'));
  const { endpoint, socket } = runtimeSocket(reading, host?.slice('unix://'.length) ?? DEFAULT_SOCKET);
  if (!socket && !present) return undefined;
  const options = strings(daemon.settings?.['exec-opts']).filter((option) => DRIVER_OPTION.test(option));
  const option = options[options.length - 1];
  const configured = option === undefined ? undefined : DRIVER_OPTION.exec(option)?.[1];
  return {
    name: 'docker',
    endpoint,
    socket,
    cgroupDriver:
      configured === 'systemd' || configured === 'cgroupfs'
        ? configured
        : daemon.whole
          ? defaultDriver(cgroup)
          : undefined,
    cgroupDriverSource: option === undefined ? 'default' : `${DAEMON_FILE}: exec-opts ${option}`,
    criDisabled: false,
    tellsCgroupDriver: undefined,
  };
}

/** On the unified tree, with systemd, Docker's default is systemd; releases before 20.10 do not run there at all. */
function defaultDriver({ mode, systemd }: CgroupFacts): RuntimeFacts['cgroupDriver'] {
  if (mode === 'unknown') return undefined;
  return mode === 'v2' && systemd ? 'systemd' : 'cgroupfs';
}

interface Daemon {
  readonly settings: { readonly hosts?: unknown; readonly 'exec-opts'?: unknown } | undefined;
  /** false: what it says is not known. */
  readonly whole: boolean;
}

function readDaemon(reading: Reading): Daemon {
  const text = reading.text(DAEMON_FILE);
  if (text === undefined) return { settings: undefined, whole: !reading.unreadable(DAEMON_FILE) };
  if (text.trim() === '') return { settings: undefined, whole: true };
  let fault = 'it is no object';
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { settings: value, whole: true };
  } catch (problem) {
    fault = problem instanceof SyntaxError ? 'it is not valid JSON' : 'it is nested too deep';
  }
  reading.note({
    code: 'invalid-json',
    level: 'warning',
    what: `${DAEMON_FILE} is not what Docker reads, so its settings are not known.`,
    evidence: [`${DAEMON_FILE}: ${shown(fault)}`],
    hint: `Correct ${DAEMON_FILE}.`,
  });
  return { settings: undefined, whole: false };
}

function strings(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];
}
