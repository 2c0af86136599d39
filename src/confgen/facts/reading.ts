import { type FileStat, type Host, READ_LIMIT } from '../host/host.ts';
import type { Finding } from '../model/finding.ts';
import { shown } from '../text/arguments.ts';

/**
 * A host as readers see it: nothing throws, what cannot be read becomes a finding, and no finding is told twice.
 */
export interface Reading {
  /** A file's text; undefined when it is absent, or unreadable and so a finding. */
  text(path: string, limit?: number): string | undefined;
  /** The file is there but cannot be read; its finding has been told. */
  unreadable(path: string): boolean;
  /** What stands at a path in the end, links followed. */
  kind(path: string): FileStat['kind'];
  /** Where a path leads to in the end; undefined for a loop. */
  resolve(path: string): string | undefined;
  /** Names in a directory; empty when there is none. */
  list(path: string): readonly string[];
  note(finding: Finding): void;
  readonly host: Host;
  readonly findings: readonly Finding[];
}

const MAX_LINKS = 40;
const MAX_FINDINGS = 100;
/** UTF-16 units of all files together; many files that are each just small enough take too long, too. */
const TOTAL_LIMIT = 8 << 20;

export function openReading(host: Host): Reading {
  const findings: Finding[] = [];
  const seen = new Set<string>();
  const texts = new Map<string, string | undefined>();
  const broken = new Set<string>();
  let total = 0;

  const note = (finding: Finding): void => {
    const key = [finding.code, ...finding.evidence].join('\n');
    if (seen.has(key) || findings.length >= MAX_FINDINGS) return;
    seen.add(key);
    findings.push(finding);
  };

  const text = (path: string, limit: number = READ_LIMIT): string | undefined => {
    if (texts.has(path)) return texts.get(path);
    const left = limit > READ_LIMIT ? limit : Math.min(limit, Math.max(0, TOTAL_LIMIT - total));
    const read = attempt(() => host.read(path, left)) ?? { kind: 'unreadable' as const, reason: 'it cannot be read' };
    const found = read.kind === 'text' ? read.text : undefined;
    texts.set(path, found);
    total += limit > READ_LIMIT ? 0 : (found?.length ?? 0);
    if (read.kind === 'unreadable' || read.kind === 'too-large') {
      broken.add(path);
      const large = read.kind === 'too-large';
      note({
        code: large ? 'too-large-file' : 'unreadable-file',
        level: 'warning',
        what: large ? `${shown(path)} is too large to be read.` : `${shown(path)} cannot be read.`,
        evidence: [
          `${shown(path)}: ${read.kind === 'too-large' ? `more than ${read.limit} bytes` : shown(read.reason)}`,
        ],
        hint: 'Look at what this file is; the generator goes on as if it were not there.',
      });
    }
    return found;
  };

  const resolve = (path: string): string | undefined => {
    let at = path;
    for (let links = 0; links <= MAX_LINKS; links += 1) {
      const target = attempt(() => host.readLink(at));
      if (target === undefined) return at;
      at = joinPath(parentOf(at), target);
    }
    return undefined;
  };

  return {
    text,
    unreadable: (path) => text(path) === undefined && broken.has(path),
    kind(path) {
      const real = resolve(path);
      return real === undefined ? 'absent' : (attempt(() => host.stat(real))?.kind ?? 'absent');
    },
    resolve,
    list: (path) => attempt(() => host.list(path)) ?? [],
    note,
    host,
    findings,
  };
}

/** The directory that a path stands in. */
export function parentOf(path: string): string {
  const cut = path.lastIndexOf('/');
  return cut <= 0 ? '/' : path.slice(0, cut);
}

/** A path as seen from a directory, without `.`, `..` and doubled slashes. */
export function joinPath(directory: string, path: string): string {
  const parts: string[] = [];
  for (const part of (path.charAt(0) === '/' ? path : `${directory}/${path}`).split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}

function attempt<Value>(run: () => Value): Value | undefined {
  try {
    return run();
  } catch {
    return undefined;
  }
}
