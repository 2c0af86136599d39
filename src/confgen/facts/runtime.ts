import { sanitize } from '../text/arguments.ts';
import { readToml, type TomlTable } from '../text/toml.ts';
import type { HostReader } from './host-reader.ts';

export interface RuntimeSocket {
  readonly endpoint: string;
  /** Whether the socket exists. */
  readonly socket: boolean;
}

/** The endpoint for a socket's path. /var/run becomes /run. */
export function runtimeSocket(reader: HostReader, path: string): RuntimeSocket {
  const short = path.replace(/^\/var\/run\//, '/run/');
  const socket = reader.kind(path) === 'socket' || reader.kind(short) === 'socket';
  return { endpoint: `unix://${short}`, socket };
}

/** A TOML file; undefined when it is absent, or with a finding when it is unreadable or invalid. */
export function readTomlFile(reader: HostReader, path: string): TomlTable | undefined {
  const text = reader.text(path);
  const result = text === undefined ? undefined : readToml(text);
  if (result?.kind !== 'invalid') return result?.table;
  reader.report({
    code: 'invalid-toml',
    level: 'warning',
    what: `${sanitize(path)} is not valid TOML, so its settings are not known`,
    evidence: [`${sanitize(path)}, line ${result.line}: ${sanitize(result.reason)}`],
    hint: 'correct this line',
  });
  return undefined;
}
