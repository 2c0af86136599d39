import { createHash, randomBytes } from 'node:crypto';
import { readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { isErrno } from './file-system.ts';

/**
 * A file name suffix that identifies the process that owns the file: `.TAG.PID.RANDOM`. TAG identifies the machine and
 * its PID namespace, because containers that share a cache have their own process IDs.
 */
export function ownedSuffix(): string {
  return `.${machineTag()}.${process.pid}.${randomBytes(6).toString('hex')}`;
}

/** Whether the owner in a suffix is running; `unknown` if it is on another machine or if there is no suffix. */
export function ownerState(name: string): 'running' | 'gone' | 'unknown' {
  const match = /\.([0-9a-f]{12})\.(\d{1,10})\.[0-9a-f]{12}$/.exec(name);
  if (match === null || match[1] !== machineTag()) return 'unknown';
  try {
    process.kill(Number(match[2]), 0);
    return 'running';
  } catch (error) {
    return isErrno(error, 'ESRCH') ? 'gone' : 'running';
  }
}

/** Whether the owner in a suffix was a process on this machine that has ended. */
export function isAbandoned(name: string): boolean {
  return ownerState(name) === 'gone';
}

let cachedTag: string | undefined;

function machineTag(): string {
  cachedTag ??= createHash('sha256').update(`${hostname()} ${processNamespace()}`).digest('hex').slice(0, 12);
  return cachedTag;
}

function processNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return '';
  }
}
