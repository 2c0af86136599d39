import { createHash, randomBytes } from 'node:crypto';
import { readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/**
 * Names of what a running process works on say who it is: `.TAG.PID.RANDOM`, TAG standing for the machine and its
 * process namespace (containers that share a cache have process numbers of their own).
 */
export function ownedSuffix(): string {
  return `.${tag()}.${process.pid}.${randomBytes(6).toString('hex')}`;
}

/** Whether a name's owner was a process of this machine that is gone. */
export function isAbandoned(name: string): boolean {
  const match = /\.([0-9a-f]{12})\.(\d{1,10})\.[0-9a-f]{12}$/.exec(name);
  if (match === null || match[1] !== tag()) {
    return false;
  }
  try {
    process.kill(Number(match[2]), 0);
    return false;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ESRCH';
  }
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
