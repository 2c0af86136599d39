import { create, lstat, mkdir, nodeName, pid, read, readdir, readlink, rename, syncFolder, unlink } from 'host';
import type { Host } from './host.ts';
import { systemHost } from './system-host.ts';

/** The machine under the static runner, or a root of another below a folder. */
export function quickJsHost(root: string): Host {
  const calls = { lstat, readlink, readdir, read, create, rename, unlink, mkdir, syncFolder, nodeName, pid };
  return systemHost(calls, root);
}
