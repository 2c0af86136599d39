import type { Host } from '../host/host.ts';
import type { FileChange, Finding, Plan } from '../model/finding.ts';
import { finding } from '../plan/rule.ts';
import { sha256 } from '../text/sha256.ts';
import { readWrittenDigests, STATE_FILE, saveWrittenDigests, type WrittenDigests } from './written-digests.ts';

/**
 * Reduces a plan to the changes that a host still needs. Files that were edited, or that existed before the generator,
 * become findings.
 */
export function pendingChanges(plan: Plan, host: Host): Plan {
  const digests = readWrittenDigests(host);
  const changes: FileChange[] = [];
  const findings = [...plan.findings];
  for (const change of plan.changes) {
    const result = compare(change, host, digests[change.path]);
    if (result === 'pending') changes.push(change);
    else if (result !== 'up-to-date') findings.push(result);
  }
  return { findings, changes };
}

export interface ApplyResult {
  /** The completed changes, in the order of the plan. */
  readonly done: readonly FileChange[];
  /** Findings of the plan, and the failure. */
  readonly findings: readonly Finding[];
  readonly failed: boolean;
}

/** Makes the pending changes in the order of the plan, up to the first failure. Idempotent. */
export function applyPlan(plan: Plan, host: Host): ApplyResult {
  const { changes, findings } = pendingChanges(plan, host);
  const done: FileChange[] = [];
  const failedWith = (failure: Finding): ApplyResult => ({ done, findings: [...findings, failure], failed: true });
  if (plan.changes.length === 0) return { done, findings, failed: false };
  const before = readWrittenDigests(host);
  const announced = attempt(STATE_FILE, () => saveWrittenDigests(host, withNewDigests(before, changes)));
  if (announced !== undefined) return failedWith(announced);
  for (const change of changes) {
    const failure = attempt(change.path, () => {
      if (change.kind === 'write') host.write(change.path, change.text, change.mode);
      else host.remove(change.path);
    });
    if (failure !== undefined) return failedWith(failure);
    done.push(change);
  }
  const after: Record<string, readonly string[]> = { ...before };
  for (const change of plan.changes) {
    if (change.kind === 'remove') {
      if (host.stat(change.path).kind === 'absent') delete after[change.path];
    } else if (readRegular(host, change.path) === change.text) {
      after[change.path] = [sha256(change.text)];
    }
  }
  const recorded = attempt(STATE_FILE, () => saveWrittenDigests(host, after));
  return recorded === undefined ? { done, findings, failed: false } : failedWith(recorded);
}

/** Adds the new digests before files are replaced, so that after a crash neither content counts as edited. */
function withNewDigests(before: WrittenDigests, changes: readonly FileChange[]): WrittenDigests {
  const digests: Record<string, readonly string[]> = { ...before };
  for (const change of changes) {
    if (change.kind === 'write') {
      const known = digests[change.path] ?? [];
      const digest = sha256(change.text);
      if (!known.includes(digest)) digests[change.path] = [...known.slice(-1), digest];
    }
  }
  return digests;
}

function compare(
  change: FileChange,
  host: Host,
  digests: readonly string[] | undefined,
): 'pending' | 'up-to-date' | Finding {
  const { path } = change;
  const { kind } = host.stat(path);
  if (kind === 'absent') return change.kind === 'write' ? 'pending' : 'up-to-date';
  const text = readRegular(host, path);
  if (change.kind === 'write' && text === change.text) return 'up-to-date';
  if (text !== undefined && digests?.includes(sha256(text)) === true) return 'pending';
  if (digests !== undefined || text?.startsWith('# Written by kubelet-confgen') === true) {
    const hint = `remove ${path} to let kubelet-confgen write it again (${change.reason})`;
    const evidence = [`${path}: differs from what kubelet-confgen wrote`];
    return finding('warning', 'edited-file', `${path} was edited and is not updated`, evidence, hint);
  }
  if (change.kind === 'remove') return 'up-to-date';
  const what = `${path} was not written by kubelet-confgen and is not changed`;
  const hint = `remove ${path} to let kubelet-confgen write it (${change.reason})`;
  return finding('warning', 'foreign-file', what, [`${path}: ${kind}`], hint);
}

function readRegular(host: Host, path: string): string | undefined {
  const read = host.stat(path).kind === 'file' ? host.read(path) : undefined;
  return read?.kind === 'text' ? read.text : undefined;
}

/** @returns the failure of an action, as a finding */
function attempt(path: string, action: () => void): Finding | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    const reason = (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';
    const hint = 'run kubelet-confgen apply as root, on a writable file system with free space';
    return finding('error', 'write-failed', reason.slice(0, 200), [path], hint);
  }
}
