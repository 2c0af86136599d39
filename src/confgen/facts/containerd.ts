import type { RuntimeFacts } from '../model/facts.ts';
import { sanitize } from '../text/arguments.ts';
import { stringsOf, type TomlTable, tableAt } from '../text/toml.ts';
import { type HostReader, joinPath, parentOf } from './host-reader.ts';
import { readTomlFile, runtimeSocket } from './runtime.ts';

const MAIN_FILE = '/etc/containerd/config.toml';
/** Recent releases read these when there is no main file. */
const CONF_D = '/etc/containerd/conf.d';
const DEFAULT_SOCKET = '/run/containerd/containerd.sock';
const MAX_FILES = 100;
/** The section of the CRI plugin in version 1, 2, and 3 and later of the configuration file. */
const CRI_V1 = 'cri';
const CRI_V2 = 'io.containerd.grpc.v1.cri';
const CRI_V3 = 'io.containerd.cri.v1.runtime';
const CRI_NAMES = [CRI_V1, CRI_V2, CRI_V3, 'io.containerd.cri.v1.images'];

interface ConfigFile {
  readonly path: string;
  readonly version: number;
  readonly table: TomlTable;
}

interface Section {
  readonly path: string;
  readonly section: TomlTable;
}

interface Driver {
  readonly driver: 'systemd' | 'cgroupfs';
  readonly source: string;
}

/**
 * containerd, from /etc/containerd/config.toml and its imports (containerd-config.toml(5), docs/cri/config.md).
 *
 * No program is run, so the release of containerd is only known when its configuration needs a certain release.
 */
export function readContainerd(reader: HostReader): RuntimeFacts | undefined {
  const hasMain = reader.kind(MAIN_FILE) === 'file';
  const { files, complete } = loadConfig(reader, hasMain);
  const socketPath = files.map(addressOf).reduce((found, next) => next ?? found, undefined) ?? DEFAULT_SOCKET;
  const { endpoint, socket } = runtimeSocket(reader, socketPath);
  if (!socket && !hasMain && files.length === 0) return undefined;
  const found = complete ? readDriver(reader, files, hasMain) : undefined;
  const version = Math.max(1, ...files.map((file) => file.version));
  return {
    name: 'containerd',
    endpoint,
    socket,
    cgroupDriver: found?.driver,
    cgroupDriverSource: found?.source ?? MAIN_FILE,
    criDisabled: files.some(({ table }) => stringsOf(table.disabled_plugins).some((id) => CRI_NAMES.includes(id))),
    reportsCgroupDriver: version >= 3 ? true : undefined,
  };
}

interface LoadedConfig {
  /** In the order in which containerd merges them. */
  readonly files: readonly ConfigFile[];
  /** Whether all files could be read. */
  readonly complete: boolean;
}

function loadConfig(reader: HostReader, hasMain: boolean): LoadedConfig {
  const files: ConfigFile[] = [];
  const seen = new Set<string>();
  const queue = hasMain ? [MAIN_FILE] : [...glob(reader, `${CONF_D}/*.toml`)];
  let complete = true;
  for (let path = queue.shift(); path !== undefined; path = queue.shift()) {
    if (seen.has(path)) continue;
    if (seen.size >= MAX_FILES) {
      reader.report({
        code: 'too-many-files',
        level: 'warning',
        what: `containerd imports more than ${MAX_FILES} files, so its settings are not known`,
        evidence: [`${MAIN_FILE}: more than ${MAX_FILES} files`],
        hint: 'check the imports',
      });
      return { files, complete: false };
    }
    seen.add(path);
    const table = readTomlFile(reader, path);
    if (table === undefined) {
      if (reader.text(path) === undefined && !reader.isUnreadable(path)) reportMissing(reader, path);
      complete = false;
      continue;
    }
    const { version } = table;
    files.push({ path, version: typeof version === 'number' ? version : 1, table });
    for (const entry of stringsOf(table.imports).slice(0, MAX_FILES)) {
      const target = joinPath(parentOf(path), entry);
      queue.push(...(target.includes('*') ? glob(reader, target) : [target]));
    }
  }
  return { files, complete };
}

function reportMissing(reader: HostReader, path: string): void {
  reader.report({
    code: 'containerd-import-missing',
    level: 'warning',
    what: `containerd imports ${sanitize(path)}, which does not exist; containerd does not start`,
    evidence: [`${sanitize(path)}: absent`],
    hint: `remove it from the imports in ${MAIN_FILE}, or create it`,
  });
}

/** Existing files that match a pattern, sorted. As in Go's filepath.Glob, `*` and `?` do not match a slash. */
function glob(reader: HostReader, pattern: string): readonly string[] {
  let found: readonly string[] = [''];
  for (const part of pattern.split('/').slice(1)) {
    found = found
      .flatMap((directory) => {
        if (!/[*?]/.test(part)) return [`${directory}/${part}`];
        const names = reader.list(directory === '' ? '/' : directory).filter((name) => matches(part, name));
        return names.map((name) => `${directory}/${name}`);
      })
      .slice(0, MAX_FILES);
  }
  return found.filter((path) => reader.kind(path) !== 'absent');
}

/** Quadratic time at most: after a mismatch, only the last `*` takes one more character. */
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

function addressOf({ table }: ConfigFile): string | undefined {
  const address = tableAt(table, 'plugins', 'io.containerd.server.v1.grpc')?.address ?? tableAt(table, 'grpc')?.address;
  return typeof address === 'string' && address.charAt(0) === '/' ? address : undefined;
}

/**
 * The cgroup driver, when all releases of containerd read the same one. Releases differ in how an import's plugin
 * section overrides an earlier one (as a whole, or key by key), and in whether conf.d is read without a main file.
 */
function readDriver(reader: HostReader, files: readonly ConfigFile[], hasMain: boolean): Driver | undefined {
  const sections: Section[] = [];
  let misplaced = false;
  for (const file of files) {
    const section = criSection(reader, file);
    if (section === 'misplaced') misplaced = true;
    else if (section !== undefined) sections.push({ path: file.path, section });
  }
  if (misplaced) return undefined;
  const merged = driverOf(sections);
  const alternatives = [driverOf(sections.slice(-1))];
  if (!hasMain) alternatives.push(driverOf([]));
  if (alternatives.every(({ driver }) => driver === merged.driver)) return merged;
  reader.report({
    code: 'containerd-driver-unclear',
    level: 'warning',
    what: "containerd's cgroup driver depends on its release, because releases merge these files differently",
    evidence: sections.map(({ path }) => `${sanitize(path)}: the section of the CRI plugin`),
    hint: `set SystemdCgroup only in ${MAIN_FILE}`,
  });
  return undefined;
}

/** The CRI plugin's section for the file's version; 'misplaced' when there is only the section of another version. */
function criSection(reader: HostReader, { path, version, table }: ConfigFile): TomlTable | 'misplaced' | undefined {
  const plugins = tableAt(table, 'plugins');
  const names = version >= 3 ? [CRI_V3] : version === 2 ? [CRI_V2] : [CRI_V1, CRI_V2];
  const found = names.map((name) => tableAt(plugins, name)).find((section) => section !== undefined);
  if (found !== undefined) return found;
  const misplaced = [CRI_V1, CRI_V2, CRI_V3].find(
    (name) => !names.includes(name) && tableAt(plugins, name, 'containerd') !== undefined,
  );
  if (misplaced === undefined) return undefined;
  reader.report({
    code: 'containerd-section-misplaced',
    level: 'warning',
    what: `some releases of containerd ignore the section ${misplaced} in version ${version} of the configuration file`,
    evidence: [`${sanitize(path)}: version = ${version}, plugins.'${misplaced}'`],
    hint: `rename it to plugins.'${names[0] ?? CRI_V3}', or change the version; check with "containerd config dump"`,
  });
  return 'misplaced';
}

/** Merges key by key; later files override earlier ones. */
function driverOf(sections: readonly Section[]): Driver {
  const lookUp = (...keys: readonly string[]): { readonly value: unknown; readonly path: string } | undefined => {
    for (const { path, section } of [...sections].reverse()) {
      const value = tableAt(section, ...keys.slice(0, -1))?.[keys[keys.length - 1] ?? ''];
      if (value !== undefined) return { value, path };
    }
    return undefined;
  };
  const legacy = lookUp('systemd_cgroup');
  if (legacy?.value === true) return { driver: 'systemd', source: `${legacy.path}: systemd_cgroup = true` };
  const optionOf = (...keys: readonly string[]): Driver | undefined => {
    const option = lookUp('containerd', ...keys, 'options', 'SystemdCgroup');
    if (typeof option?.value !== 'boolean') return undefined;
    const source = `${sanitize(option.path)}: ${keys.map((key) => sanitize(key)).join('.')}.options.SystemdCgroup = ${option.value}`;
    return { driver: option.value ? 'systemd' : 'cgroupfs', source };
  };
  const defaultName = lookUp('containerd', 'default_runtime_name')?.value;
  const runtime = typeof defaultName === 'string' ? defaultName : 'runc';
  const found = optionOf('runtimes', runtime) ?? optionOf('default_runtime');
  if (found !== undefined) return found;
  const unset: Driver = { driver: 'cgroupfs', source: 'default' };
  const type = lookUp('containerd', 'runtimes', runtime, 'runtime_type')?.value;
  if (runtime === 'runc' || (typeof type === 'string' && type.startsWith('io.containerd.runc.'))) return unset;
  // Without runc as the default runtime, containerd uses the option of the first other runtime by name.
  const names = sections.flatMap(({ section }) => Object.keys(tableAt(section, 'containerd', 'runtimes') ?? {}));
  for (const name of [...new Set(names)].sort().slice(0, MAX_FILES)) {
    const other = optionOf('runtimes', name);
    if (other !== undefined) return other;
  }
  return unset;
}
