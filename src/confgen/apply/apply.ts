import type { Host } from '../host/host.ts';
import type { FileChange, Finding, Plan } from '../model/finding.ts';
import { finding } from '../plan/situation.ts';
import { sha256 } from '../text/sha256.ts';
import { readState, STATE_FILE, type State, writeState } from './state.ts';

/**
 * What of a plan is still to do on a host. A file that somebody edited, or that was there before the generator, is no
 * change but a finding.
 */
export function pending(plan: Plan, host: Host): Plan {
  const state = readState(host);
  const changes: FileChange[] = [];
  const findings = [...plan.findings];
  for (const change of plan.changes) {
    const verdict = compare(change, host, state[change.path]);
    if (verdict === 'to do') changes.push(change);
    else if (verdict !== 'done') findings.push(verdict);
  }
  return { findings, changes };
}

export interface Applied {
  /** In the plan's order. */
  readonly done: readonly FileChange[];
  /** Of the plan, and of what failed. */
  readonly findings: readonly Finding[];
  readonly failed: boolean;
}

/** Does what is still to do, in the plan's order, up to the first failure. Applied twice, it does nothing the second time. */
export function applyPlan(plan: Plan, host: Host): Applied {
  const { changes, findings } = pending(plan, host);
  const done: FileChange[] = [];
  if (plan.changes.length === 0) return { done, findings, failed: false };
  const before = readState(host);
  const after: Record<string, readonly string[]> = { ...before };
  const failure = attempt(STATE_FILE, () => writeState(host, announced(before, changes)));
  if (failure !== undefined) return { done, findings: [...findings, failure], failed: true };
  for (const change of changes) {
    const failed = attempt(change.path, () => {
      if (change.kind === 'write') host.write(change.path, change.text, change.mode);
      else host.remove(change.path);
    });
    if (failed !== undefined) return { done, findings: [...findings, failed], failed: true };
    done.push(change);
  }
  for (const change of plan.changes) {
    if (change.kind === 'remove') {
      if (host.stat(change.path).kind === 'absent') delete after[change.path];
    } else if (contents(host, change.path) === change.text) {
      after[change.path] = [sha256(change.text)];
    }
  }
  const last = attempt(STATE_FILE, () => writeState(host, after));
  return { done, findings: last === undefined ? findings : [...findings, last], failed: last !== undefined };
}

/** Before a file is replaced, its record has both digests, so that neither text looks edited after a power cut. */
function announced(state: State, changes: readonly FileChange[]): State {
  const both: Record<string, readonly string[]> = { ...state };
  for (const change of changes) {
    if (change.kind === 'write') {
      const known = both[change.path] ?? [];
      const digest = sha256(change.text);
      if (!known.includes(digest)) both[change.path] = [...known.slice(-1), digest];
    }
  }
  return both;
}

function compare(change: FileChange, host: Host, digests: readonly string[] | undefined): 'to do' | 'done' | Finding {
  const { path } = change;
  const { kind } = host.stat(path);
  if (kind === 'absent') return change.kind === 'write' ? 'to do' : 'done';
  const read = kind === 'file' ? host.read(path) : undefined;
  const text = read?.kind === 'text' ? read.text : undefined;
  if (change.kind === 'write' && text === change.text) return 'done';
  if (text !== undefined && digests?.includes(sha256(text)) === true) return 'to do';
  if (digests !== undefined || text?.startsWith('# Written by kubelet-confgen') === true) {
    const what = `${path} was edited and is left as it is`;
    const hint = `remove ${path} to have it written again: ${change.reason}`;
    return finding('warning', 'edited-file', what, [`${path}: not what was written`], hint);
  }
  if (change.kind === 'remove') return 'done';
  const what = `${path} was there before and is left as it is`;
  return finding(
    'warning',
    'foreign-file',
    what,
    [`${path}: ${kind}`],
    `remove it to have it written: ${change.reason}`,
  );
}

function contents(host: Host, path: string): string | undefined {
  const read = host.stat(path).kind === 'file' ? host.read(path) : undefined;
  return read?.kind === 'text' ? read.text : undefined;
}

function attempt(path: string, action: () => void): Finding | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    const reason = (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';
    const what = `${path} could not be changed: ${reason.slice(0, 200)}`;
    return finding(
      'error',
      'write-failed',
      what,
      [path],
      'run kubelet-confgen apply as root, on a file system that can be written',
    );
  }
}
