import { shown } from '../text/arguments.ts';
import type { Reading } from './reading.ts';

/** The endpoint of a socket's path, and whether a socket stands there; /var/run is taken as /run. */
export function runtimeSocket(reading: Reading, path: string): { readonly endpoint: string; readonly socket: boolean } {
  const short = path.replace(/^\/var\/run\//, '/run/');
  const socket = reading.kind(path) === 'socket' || reading.kind(short) === 'socket';
  return { endpoint: `unix://${short}`, socket };
}

/** Says that a file is no TOML, once. */
export function noteToml(
  reading: Reading,
  path: string,
  fault: { readonly line: number; readonly reason: string },
): void {
  reading.note({
    code: 'invalid-toml',
    level: 'warning',
    what: `${shown(path)} is not valid TOML, so its settings are not known.`,
    evidence: [`${shown(path)}, line ${fault.line}: ${shown(fault.reason)}`],
    hint: 'Correct that line.',
  });
}
