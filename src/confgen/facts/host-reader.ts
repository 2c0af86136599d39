import { type FileStat, type Host, READ_LIMIT } from '../host/host.ts';
import type { Finding } from '../model/finding.ts';
import { sanitize } from '../text/arguments.ts';

const MAX_LINKS = 40;
const MAX_FINDINGS = 100;
/** UTF-16 units of all files together, because many files below the limit of one file also take too long. */
const TOTAL_LIMIT = 8 << 20;

/** Reads a host without exceptions: an unreadable file becomes a finding. Each finding is reported once. */
export class HostReader {
  readonly findings: Finding[] = [];
  private readonly host: Host;
  private readonly reported = new Set<string>();
  private readonly texts = new Map<string, string | undefined>();
  private readonly unreadable = new Set<string>();
  private total = 0;

  constructor(host: Host) {
    this.host = host;
  }

  /** The text of a file; undefined when it is absent or, with a finding, unreadable. */
  text(path: string, limit: number = READ_LIMIT): string | undefined {
    if (this.texts.has(path)) return this.texts.get(path);
    const counts = limit <= READ_LIMIT;
    const left = counts ? Math.min(limit, Math.max(0, TOTAL_LIMIT - this.total)) : limit;
    const read = attempt(() => this.host.read(path, left)) ?? { kind: 'unreadable' as const, reason: 'read error' };
    const text = read.kind === 'text' ? read.text : undefined;
    this.texts.set(path, text);
    if (counts) this.total += text?.length ?? 0;
    if (read.kind === 'unreadable' || read.kind === 'too-large') {
      this.unreadable.add(path);
      const large = read.kind === 'too-large';
      const file = sanitize(path);
      this.report({
        code: large ? 'too-large-file' : 'unreadable-file',
        level: 'warning',
        what: large ? `${file} is too large to read` : `cannot read ${file}`,
        evidence: [`${file}: ${large ? `more than ${read.limit} bytes` : sanitize(read.reason)}`],
        hint: 'check this file; kubelet-confgen continues without it',
      });
    }
    return text;
  }

  /** Whether a file exists but could not be read. */
  isUnreadable(path: string): boolean {
    return this.text(path) === undefined && this.unreadable.has(path);
  }

  /** The kind of a file, after following links. */
  kind(path: string): FileStat['kind'] {
    const real = this.resolve(path);
    return real === undefined ? 'absent' : (attempt(() => this.host.stat(real))?.kind ?? 'absent');
  }

  /** The path after following links; undefined for a loop. */
  resolve(path: string): string | undefined {
    let current = path;
    for (let links = 0; links <= MAX_LINKS; links += 1) {
      const target = attempt(() => this.host.readLink(current));
      if (target === undefined) return current;
      current = joinPath(parentOf(current), target);
    }
    return undefined;
  }

  /** The names in a directory; empty when it cannot be listed. */
  list(path: string): readonly string[] {
    return attempt(() => this.host.list(path)) ?? [];
  }

  /** The host name of the kernel, at most 300 characters; empty when it is unknown. */
  hostName(): string {
    return (attempt(() => this.host.hostName()) ?? '').trim().slice(0, 300);
  }

  report(finding: Finding): void {
    const key = [finding.code, ...finding.evidence].join('\n');
    if (this.reported.has(key) || this.findings.length >= MAX_FINDINGS) return;
    this.reported.add(key);
    this.findings.push(finding);
  }
}

/** The directory of a path. */
export function parentOf(path: string): string {
  const cut = path.lastIndexOf('/');
  return cut <= 0 ? '/' : path.slice(0, cut);
}

/** Resolves a path relative to a directory, without `.`, `..` and double slashes. */
export function joinPath(directory: string, path: string): string {
  const names: string[] = [];
  for (const name of (path.charAt(0) === '/' ? path : `${directory}/${path}`).split('/')) {
    if (name === '..') names.pop();
    else if (name !== '' && name !== '.') names.push(name);
  }
  return `/${names.join('/')}`;
}

function attempt<Value>(run: () => Value): Value | undefined {
  try {
    return run();
  } catch {
    return undefined;
  }
}
