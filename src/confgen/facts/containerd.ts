import type { RuntimeFacts } from '../model/facts.ts';
import { shown } from '../text/arguments.ts';
import { readToml, stringsOf, type TomlTable, tableAt } from '../text/toml.ts';
import { joinPath, parentOf, type Reading } from './reading.ts';
import { noteToml, runtimeSocket } from './runtime.ts';

const MAIN_FILE = '/etc/containerd/config.toml';
/** Newer releases read these where there is no main file. */
const CONF_D = '/etc/containerd/conf.d';
const DEFAULT_SOCKET = '/run/containerd/containerd.sock';
const MAX_FILES = 100;
/** The CRI plugin's section: of version 1, of 2, and of 3 and later. */
const CRI_V1 = 'cri';
const CRI_V2 = 'io.containerd.grpc.v1.cri';
const CRI_V3 = 'io.containerd.cri.v1.runtime';
const CRI_NAMES = [CRI_V1, CRI_V2, CRI_V3, 'io.containerd.cri.v1.images'];

type Driver = 'systemd' | 'cgroupfs';

interface Loaded {
  readonly path: string;
  readonly version: number;
  readonly table: TomlTable;
}

interface DriverChoice {
  readonly driver: Driver;
  readonly source: string;
}

/**
 * containerd, from /etc/containerd/config.toml and what it imports (containerd-config.toml(5), docs/cri/config.md).
 *
 * Nothing is run, so its version is known only from a configuration that no older one reads.
 */
export function readContainerd(reading: Reading): RuntimeFacts | undefined {
  const main = reading.kind(MAIN_FILE) === 'file';
  const { files, whole } = loadConfig(reading, main);
  const socketPath = files.map(addressOf).reduce((found, next) => next ?? found, undefined) ?? DEFAULT_SOCKET;
  const { endpoint, socket } = runtimeSocket(reading, socketPath);
  if (!socket && !main && files.length === 0) return undefined;
  const choice = whole ? chooseDriver(reading, files, main) : undefined;
  const version = Math.max(1, ...files.map((file) => file.version));
  return {
    name: 'containerd',
    endpoint,
    socket,
    cgroupDriver: choice?.driver,
    cgroupDriverSource: choice?.source ?? MAIN_FILE,
    criDisabled: files.some(({ table }) => stringsOf(table.disabled_plugins).some((id) => CRI_NAMES.includes(id))),
    tellsCgroupDriver: version >= 3 ? true : undefined,
  };
}

/** The files in the order in which containerd merges them; not whole: one of them could not be read. */
function loadConfig(reading: Reading, main: boolean): { readonly files: readonly Loaded[]; readonly whole: boolean } {
  const files: Loaded[] = [];
  const seen = new Set<string>();
  const pending = main ? [MAIN_FILE] : [...glob(reading, `${CONF_D}/*.toml`)];
  let whole = true;
  for (let path = pending.shift(); path !== undefined; path = pending.shift()) {
    if (seen.has(path)) continue;
    if (seen.size >= MAX_FILES) {
      reading.note({
        code: 'too-many-files',
        level: 'warning',
        what: 'containerd imports more files than are read.',
        evidence: [`${MAIN_FILE}: more than ${MAX_FILES} files`],
        hint: 'Check its imports.',
      });
      return { files, whole: false };
    }
    seen.add(path);
    const text = reading.text(path);
    const result = text === undefined ? undefined : readToml(text);
    if (result === undefined || result.kind === 'invalid') {
      if (result !== undefined) noteToml(reading, path, result);
      else if (!reading.unreadable(path)) noteMissing(reading, path);
      whole = false;
      continue;
    }
    const version = result.table.version;
    files.push({ path, version: typeof version === 'number' ? version : 1, table: result.table });
    for (const entry of stringsOf(result.table.imports).slice(0, MAX_FILES)) {
      const target = joinPath(parentOf(path), entry);
      pending.push(...(target.includes('*') ? glob(reading, target) : [target]));
    }
  }
  return { files, whole };
}

function noteMissing(reading: Reading, path: string): void {
  reading.note({
    code: 'containerd-import-missing',
    level: 'warning',
    what: 'containerd imports a file that is not there, and does not start like this.',
    evidence: [`${shown(path)}: absent`],
    hint: `Take it out of the imports in ${MAIN_FILE}, or make it.`,
  });
}

/** Files that match, sorted; `*` and `?` stand for anything but a slash, as in Go's filepath.Glob. */
function glob(reading: Reading, pattern: string): readonly string[] {
  let found: readonly string[] = [''];
  for (const part of pattern.split('/').slice(1)) {
    const next: string[] = [];
    for (const directory of found) {
      if (!/[*?]/.test(part)) next.push(`${directory}/${part}`);
      else
        for (const name of reading.list(directory === '' ? '/' : directory))
          if (matches(part, name)) next.push(`${directory}/${name}`);
    }
    found = next.slice(0, MAX_FILES);
  }
  return found.filter((path) => reading.kind(path) !== 'absent');
}

/** Without backtracking into a hang: on a mismatch only the last `*` takes one character more. */
function matches(pattern: string, name: string): boolean {
  let [at, star, mark] = [0, -1, 0];
  for (let index = 0; index < name.length; ) {
    const c = pattern.charAt(at);
    if (c === '*') {
      star = at;
      mark = index;
      at += 1;
    } else if (c === '?' || (c !== '' && c === name.charAt(index))) {
      at += 1;
      index += 1;
    } else if (star >= 0) {
      at = star + 1;
      mark += 1;
      index = mark;
    } else {
      return false;
    }
  }
  return /^\**$/.test(pattern.slice(at));
}

function addressOf({ table }: Loaded): string | undefined {
  const address = tableAt(table, 'plugins', 'io.containerd.server.v1.grpc')?.address ?? tableAt(table, 'grpc')?.address;
  return typeof address === 'string' && address.charAt(0) === '/' ? address : undefined;
}

/**
 * The driver that all ways of reading the files agree on. Releases differ in how they lay an import's plugin section
 * over the one before (whole, or key by key), and in whether conf.d is read without a main file.
 */
function chooseDriver(reading: Reading, files: readonly Loaded[], main: boolean): DriverChoice | undefined {
  const sections = files.flatMap((file) => {
    const section = criSection(reading, file);
    return section === undefined ? [] : [{ path: file.path, section }];
  });
  if (sections.some(({ section }) => section === 'misplaced')) return undefined;
  const known = sections.filter((each): each is Section => each.section !== 'misplaced');
  const last = known[known.length - 1];
  const ways = [driverOf(known), ...(last === undefined ? [] : [driverOf([last])]), ...(main ? [] : [driverOf([])])];
  const [first] = ways;
  if (first !== undefined && ways.every((way) => way.driver === first.driver)) return first;
  reading.note({
    code: 'containerd-driver-unclear',
    level: 'warning',
    what: "containerd's cgroup driver depends on its release: not all lay these files over each other in one way.",
    evidence: known.map(({ path }) => `${shown(path)}: the CRI plugin's section`),
    hint: `Say SystemdCgroup in one file only, in ${MAIN_FILE}.`,
  });
  return undefined;
}

interface Section {
  readonly path: string;
  readonly section: TomlTable;
}

/** The CRI plugin's section where this version of the file wants it; misplaced: only where another version does. */
function criSection(reading: Reading, { path, version, table }: Loaded): TomlTable | 'misplaced' | undefined {
  const plugins = tableAt(table, 'plugins');
  const right = version >= 3 ? [CRI_V3] : version === 2 ? [CRI_V2] : [CRI_V1, CRI_V2];
  const wrong = [CRI_V1, CRI_V2, CRI_V3].filter((name) => !right.includes(name));
  const found = right.map((name) => tableAt(plugins, name)).find((section) => section !== undefined);
  if (found !== undefined) return found;
  const misplaced = wrong.find((name) => tableAt(plugins, name, 'containerd') !== undefined);
  if (misplaced === undefined) return undefined;
  reading.note({
    code: 'containerd-section-misplaced',
    level: 'warning',
    what: `A section of containerd's configuration is not read in version ${version} of the file by every release.`,
    evidence: [`${shown(path)}: version = ${version}, plugins.'${misplaced}'`],
    hint: `Name it plugins.'${right[0] ?? CRI_V3}', or change the version; \`containerd config dump\` shows what counts.`,
  });
  return 'misplaced';
}

/** Files later in order win, key by key. */
function driverOf(sections: readonly Section[]): DriverChoice {
  const pick = (...keys: readonly string[]): { readonly value: unknown; readonly path: string } | undefined => {
    for (const { path, section } of [...sections].reverse()) {
      const value = tableAt(section, ...keys.slice(0, -1))?.[keys[keys.length - 1] ?? ''];
      if (value !== undefined) return { value, path };
    }
    return undefined;
  };
  const legacy = pick('systemd_cgroup');
  if (legacy?.value === true) return { driver: 'systemd', source: `${legacy.path}: systemd_cgroup = true` };
  const optionOf = (...keys: readonly string[]): DriverChoice | undefined => {
    const option = pick('containerd', ...keys, 'options', 'SystemdCgroup');
    if (typeof option?.value !== 'boolean') return undefined;
    const source = `${shown(option.path)}: ${keys.map(shown).join('.')}.options.SystemdCgroup = ${option.value}`;
    return { driver: option.value ? 'systemd' : 'cgroupfs', source };
  };
  const unset: DriverChoice = { driver: 'cgroupfs', source: 'default' };
  const chosen = pick('containerd', 'default_runtime_name')?.value;
  const standard = typeof chosen === 'string' ? chosen : 'runc';
  const found = optionOf('runtimes', standard) ?? optionOf('default_runtime');
  if (found !== undefined) return found;
  const type = pick('containerd', 'runtimes', standard, 'runtime_type')?.value;
  if (standard === 'runc' || (typeof type === 'string' && type.startsWith('io.containerd.runc.'))) return unset;
  // A default runtime that is no runc has no such option; containerd itself then takes the first other one by name.
  const names = sections.flatMap(({ section }) => Object.keys(tableAt(section, 'containerd', 'runtimes') ?? {}));
  for (const name of [...new Set(names)].sort().slice(0, MAX_FILES)) {
    const other = optionOf('runtimes', name);
    if (other !== undefined) return other;
  }
  return unset;
}
