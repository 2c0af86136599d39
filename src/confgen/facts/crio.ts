import type { RuntimeFacts } from '../model/facts.ts';
import { shown } from '../text/arguments.ts';
import { readToml, type TomlTable, tableAt } from '../text/toml.ts';
import type { Reading } from './reading.ts';
import { noteToml, runtimeSocket } from './runtime.ts';

const MAIN_FILE = '/etc/crio/crio.conf';
const DROP_INS = '/etc/crio/crio.conf.d';
const DEFAULT_SOCKET = '/run/crio/crio.sock';
const VERSION_FILES = ['/run/crio/version', '/var/lib/crio/version'];
const MAX_FILES = 100;
const MAX_DEPTH = 4;

/** CRI-O, from crio.conf(5) and its drop-ins, whatever they are called, in the order of their names. */
export function readCrio(reading: Reading): RuntimeFacts | undefined {
  const paths = [...(reading.kind(MAIN_FILE) === 'absent' ? [] : [MAIN_FILE]), ...walk(reading, DROP_INS, 0)];
  const loaded = paths.slice(0, MAX_FILES).map((path) => ({ path, table: load(reading, path) }));
  let socketPath = DEFAULT_SOCKET;
  let manager = { value: 'systemd', source: 'default' };
  for (const { path, table } of loaded) {
    const listen = tableAt(table, 'crio', 'api')?.listen;
    if (typeof listen === 'string' && listen.charAt(0) === '/') socketPath = listen;
    const value = tableAt(table, 'crio', 'runtime')?.cgroup_manager;
    if (typeof value === 'string') manager = { value, source: `${shown(path)}: cgroup_manager = ${shown(value)}` };
  }
  const { endpoint, socket } = runtimeSocket(reading, socketPath);
  if (!socket && paths.length === 0) return undefined;
  const known = paths.length <= MAX_FILES && loaded.every(({ table }) => table !== undefined);
  return {
    name: 'crio',
    endpoint,
    socket,
    cgroupDriver: known && (manager.value === 'systemd' || manager.value === 'cgroupfs') ? manager.value : undefined,
    cgroupDriverSource: manager.source,
    criDisabled: false,
    tellsCgroupDriver: tellsCgroupDriver(reading),
  };
}

function load(reading: Reading, path: string): TomlTable | undefined {
  const text = reading.text(path);
  const result = text === undefined ? undefined : readToml(text);
  if (result?.kind === 'invalid') noteToml(reading, path, result);
  return result?.kind === 'table' ? result.table : undefined;
}

function walk(reading: Reading, directory: string, depth: number): readonly string[] {
  if (depth > MAX_DEPTH) return [];
  const found: string[] = [];
  for (const name of reading.list(directory).slice(0, MAX_FILES + 1)) {
    const path = `${directory}/${name}`;
    if (found.length > MAX_FILES) break;
    if (reading.kind(path) === 'directory') found.push(...walk(reading, path, depth + 1));
    else found.push(path);
  }
  return found;
}

/** CRI-O writes its version down when it starts: the text of a JSON string. */
function tellsCgroupDriver(reading: Reading): boolean | undefined {
  for (const path of VERSION_FILES) {
    const version = /^"?v?(\d{1,3})\.(\d{1,3})\./.exec((reading.text(path) ?? '').trim());
    if (version !== null) return Number(version[1]) > 1 || Number(version[2]) >= 28;
  }
  return undefined;
}
