import { create, lstat, mkdir, nodeName, pid, read, readdir, readlink, rename, syncDirectory, unlink } from 'host';
import type { Host } from './host.ts';
import { systemHost } from './system-host.ts';

/** This machine in the static runner, or a root directory on it. */
export function quickJsHost(root: string): Host {
  const calls = { lstat, readlink, readdir, read, create, rename, unlink, mkdir, syncDirectory, nodeName, pid };
  return systemHost(calls, root);
}
