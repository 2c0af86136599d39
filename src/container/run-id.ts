import { readFileSync, readlinkSync } from 'node:fs';

/**
 * Identifies a run of kubeparcel: `BOOT.NAMESPACE.PID.START`. Process numbers are reused; the boot ID, the PID namespace
 * and the start time of the process make the ID unique.
 */
export function ownRunId(): string {
  known ??= `${bootId()}.${namespace()}.${process.pid}.${startOf(process.pid)}`;
  return known;
}

let known: string | undefined;

/** Whether a run has ended. False for runs in other PID namespaces (containers with the same engine), which are not visible. */
export function isOver(runId: string): boolean {
  const [, runBoot, runNamespace, pid, start] = /^([0-9a-f]+)\.(\d+)\.(\d+)\.(\d+)$/.exec(runId) ?? [];
  if (runBoot === undefined || runBoot !== bootId()) return true;
  if (runNamespace !== namespace()) return false;
  return startOf(Number(pid)) !== start;
}

function bootId(): string {
  return readOrEmpty('/proc/sys/kernel/random/boot_id').trim().replaceAll('-', '').slice(0, 12) || '0';
}

function namespace(): string {
  try {
    return /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? '0';
  } catch {
    return '0';
  }
}

/** Start time of a process in clock ticks since boot: field 22 of /proc/PID/stat (proc_pid_stat(5)); '0' if it has ended. */
function startOf(pid: number): string {
  const stat = readOrEmpty(`/proc/${pid}/stat`);
  // The second field is the program's name in parentheses and may contain any character.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const isZombie = fields[0] === 'Z';
  return isZombie ? '0' : (fields[19] ?? '0');
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
