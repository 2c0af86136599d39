import type { Host } from '../host/host.ts';
import { CONFIG_FILE, CRICTL_FILE, ENVIRONMENT_FILE } from '../plan/managed-files.ts';

export const STATE_FILE = '/var/lib/kubelet-confgen/state.json';
const STATE_LIMIT = 1 << 16;

const MANAGED_FILES = [ENVIRONMENT_FILE, CONFIG_FILE, CRICTL_FILE];

/** SHA-256 of the written files by path. There are two while a file is replaced, in case the run is killed. */
export type WrittenDigests = Readonly<Record<string, readonly string[]>>;

/** Reads the state file. A missing or damaged file counts as empty; paths of other files are ignored. */
export function readWrittenDigests(host: Host): WrittenDigests {
  const read = host.read(STATE_FILE, STATE_LIMIT);
  if (read.kind !== 'text') return {};
  let state: unknown;
  try {
    state = JSON.parse(read.text);
  } catch {
    return {};
  }
  const files: unknown = isRecord(state) ? state.files : undefined;
  if (!isRecord(files)) return {};
  const written: Record<string, readonly string[]> = {};
  for (const path of MANAGED_FILES) {
    const digests = files[path];
    if (!Array.isArray(digests)) continue;
    const valid = digests.filter((each): each is string => typeof each === 'string' && /^[0-9a-f]{64}$/.test(each));
    if (valid.length > 0) written[path] = valid;
  }
  return written;
}

/** Writes the state file if it changes. */
export function saveWrittenDigests(host: Host, digests: WrittenDigests): void {
  const files: Record<string, readonly string[]> = {};
  for (const path of MANAGED_FILES) {
    const found = digests[path];
    if (found !== undefined) files[path] = found;
  }
  const text = `${JSON.stringify({ format: 1, files }, undefined, 2)}\n`;
  const before = host.read(STATE_FILE, STATE_LIMIT);
  if (before.kind === 'text' && before.text === text) return;
  if (before.kind === 'absent' && Object.keys(files).length === 0) return;
  host.write(STATE_FILE, text, 0o644);
}

function isRecord(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
