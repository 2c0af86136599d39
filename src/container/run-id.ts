import { readFileSync, readlinkSync } from 'node:fs';

/**
 * Which run of kubeparcel something belongs to: `BOOT.NAMESPACE.PID.START`. A process number alone is used again; with
 * the machine's boot, the namespace that counts the processes and the start of the process nobody else has the same.
 */
export function ownRunId(): string {
  known ??= `${boot()}.${namespace()}.${process.pid}.${startOf(process.pid)}`;
  return known;
}

let known: string | undefined;

/** Whether the run is over for sure. One of another process namespace (a container with the same engine) is not. */
export function isOver(runId: string): boolean {
  const [, itsBoot, itsNamespace, pid, start] = /^([0-9a-f]+)\.(\d+)\.(\d+)\.(\d+)$/.exec(runId) ?? [];
  if (itsBoot === undefined) return true;
  if (itsBoot !== boot()) return true;
  if (itsNamespace !== namespace()) return false;
  return startOf(Number(pid)) !== start;
}

function boot(): string {
  return read('/proc/sys/kernel/random/boot_id').trim().replaceAll('-', '').slice(0, 12) || '0';
}

function namespace(): string {
  try {
    return /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? '0';
  } catch {
    return '0';
  }
}

/** Clock ticks from boot to the start of a process: field 22 of /proc/PID/stat (proc_pid_stat(5)); '0' when it is gone. */
function startOf(pid: number): string {
  const stat = read(`/proc/${pid}/stat`);
  // The second field is the program's name in parentheses, which may hold anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // A zombie is over.
  return fields[0] === 'Z' ? '0' : (fields[19] ?? '0');
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
