import { createHash, randomBytes } from 'node:crypto';
import { readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { isErrno } from './file-system.ts';

/**
 * A suffix that names the process which owns a file: `.TAG.PID.RANDOM`. TAG stands for the machine and its process
 * namespace, because containers that share a cache have process numbers of their own.
 */
export function ownedSuffix(): string {
  return `.${tag()}.${process.pid}.${randomBytes(6).toString('hex')}`;
}

/**
 * Whether the owner that a suffix names still runs; unknown for a process of another machine and for text that is not a
 * suffix.
 */
export function ownerState(name: string): 'running' | 'gone' | 'unknown' {
  const match = /\.([0-9a-f]{12})\.(\d{1,10})\.[0-9a-f]{12}$/.exec(name);
  if (match === null || match[1] !== tag()) return 'unknown';
  try {
    process.kill(Number(match[2]), 0);
    return 'running';
  } catch (error) {
    return isErrno(error, 'ESRCH') ? 'gone' : 'running';
  }
}

/** Whether a name's owner was a process of this machine that has ended. */
export function isAbandoned(name: string): boolean {
  return ownerState(name) === 'gone';
}

let known: string | undefined;

function tag(): string {
  known ??= createHash('sha256').update(`${hostname()} ${processNamespace()}`).digest('hex').slice(0, 12);
  return known;
}

function processNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return '';
  }
}
