import type { Host } from '../host/host.ts';
import { CONFIG_FILE, CRICTL_FILE, ENVIRONMENT_FILE } from '../plan/own-files.ts';

export const STATE_FILE = '/var/lib/kubelet-confgen/state.json';

/** All that the generator may ever write but for its state. */
const OWN = [ENVIRONMENT_FILE, CONFIG_FILE, CRICTL_FILE];

/**
 * SHA-256 of what was written, by path. Two while a file is being replaced: a killed run leaves one of them.
 */
export type State = Readonly<Record<string, readonly string[]>>;

/** What was written before; nothing where the record is gone, damaged or speaks of files that are not the generator's. */
export function readState(host: Host): State {
  const read = host.read(STATE_FILE, 1 << 16);
  if (read.kind !== 'text') return {};
  let value: unknown;
  try {
    value = JSON.parse(read.text);
  } catch {
    return {};
  }
  const files: unknown = isRecord(value) ? value.files : undefined;
  if (!isRecord(files)) return {};
  const state: Record<string, readonly string[]> = {};
  for (const path of OWN) {
    const digests = files[path];
    if (!Array.isArray(digests)) continue;
    const usable = digests.filter((each): each is string => typeof each === 'string' && /^[0-9a-f]{64}$/.test(each));
    if (usable.length > 0) state[path] = usable;
  }
  return state;
}

/** Writes the record unless it is so already. */
export function writeState(host: Host, state: State): void {
  const files: Record<string, readonly string[]> = {};
  for (const path of OWN) {
    const digests = state[path];
    if (digests !== undefined) files[path] = digests;
  }
  const text = `${JSON.stringify({ format: 1, files }, undefined, 2)}\n`;
  const before = host.read(STATE_FILE, 1 << 16);
  if (before.kind === 'text' && before.text === text) return;
  if (before.kind === 'absent' && Object.keys(files).length === 0) return;
  host.write(STATE_FILE, text, 0o644);
}

function isRecord(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
