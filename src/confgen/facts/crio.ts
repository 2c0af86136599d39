import type { RuntimeFacts } from '../model/facts.ts';
import { sanitize } from '../text/arguments.ts';
import { tableAt } from '../text/toml.ts';
import type { HostReader } from './host-reader.ts';
import { readTomlFile, runtimeSocket } from './runtime.ts';

const MAIN_FILE = '/etc/crio/crio.conf';
const DROP_INS = '/etc/crio/crio.conf.d';
const DEFAULT_SOCKET = '/run/crio/crio.sock';
const VERSION_FILES = ['/run/crio/version', '/var/lib/crio/version'];
const MAX_FILES = 100;
const MAX_DEPTH = 4;

/** CRI-O, from crio.conf(5) and all its drop-ins, sorted by name. */
export function readCrio(reader: HostReader): RuntimeFacts | undefined {
  const paths = [...(reader.kind(MAIN_FILE) === 'absent' ? [] : [MAIN_FILE]), ...walk(reader, DROP_INS, 0)];
  const files = paths.slice(0, MAX_FILES).map((path) => ({ path, table: readTomlFile(reader, path) }));
  let socketPath = DEFAULT_SOCKET;
  let manager = { value: 'systemd', source: 'default' };
  for (const { path, table } of files) {
    const listen = tableAt(table, 'crio', 'api')?.listen;
    if (typeof listen === 'string' && listen.charAt(0) === '/') socketPath = listen;
    const value = tableAt(table, 'crio', 'runtime')?.cgroup_manager;
    if (typeof value === 'string') {
      manager = { value, source: `${sanitize(path)}: cgroup_manager = ${sanitize(value)}` };
    }
  }
  const { endpoint, socket } = runtimeSocket(reader, socketPath);
  if (!socket && paths.length === 0) return undefined;
  const complete = paths.length <= MAX_FILES && files.every(({ table }) => table !== undefined);
  return {
    name: 'crio',
    endpoint,
    socket,
    cgroupDriver: complete && (manager.value === 'systemd' || manager.value === 'cgroupfs') ? manager.value : undefined,
    cgroupDriverSource: manager.source,
    criDisabled: false,
    reportsCgroupDriver: reportsCgroupDriver(reader),
  };
}

function walk(reader: HostReader, directory: string, depth: number): readonly string[] {
  if (depth > MAX_DEPTH) return [];
  const found: string[] = [];
  for (const name of reader.list(directory).slice(0, MAX_FILES + 1)) {
    const path = `${directory}/${name}`;
    if (found.length > MAX_FILES) break;
    if (reader.kind(path) === 'directory') found.push(...walk(reader, path, depth + 1));
    else found.push(path);
  }
  return found;
}

/** CRI-O >= 1.28, from the version file that CRI-O writes when it starts: a JSON string. */
function reportsCgroupDriver(reader: HostReader): boolean | undefined {
  for (const path of VERSION_FILES) {
    const version = /^"?v?(\d{1,3})\.(\d{1,3})\./.exec((reader.text(path) ?? '').trim());
    if (version !== null) return Number(version[1]) > 1 || Number(version[2]) >= 28;
  }
  return undefined;
}
