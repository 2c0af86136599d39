import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  renameSync,
  type Stats,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import type { Host } from './host.ts';
import { EISDIR, NOT_REGULAR, NOT_TEXT, type SystemCalls, TOO_LARGE } from './system-calls.ts';
import { systemHost } from './system-host.ts';

/**
 * This machine in Node, or a root directory on it.
 *
 * @param root absolute path of the directory to use as `/`
 */
export function nodeHost(root = '/'): Host {
  return systemHost(nodeCalls, root);
}

const { O_RDONLY, O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_NOCTTY, O_DIRECTORY } = constants;

const nodeCalls: SystemCalls = {
  lstat: (path) => attempt(() => lstatSync(path).mode),
  readlink: (path) => attempt(() => decode(readlinkSync(path, { encoding: 'buffer' })) ?? NOT_TEXT),
  readdir: (path) => attempt(() => readdirSync(path, { encoding: 'buffer' }).flatMap((name) => decode(name) ?? [])),
  read: (path, limit) =>
    attempt(() =>
      // Without O_NONBLOCK, opening a pipe waits for a writer.
      withFile(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0, (file) => {
        const stats = fstatSync(file);
        return stats.isFile() ? readText(file, limit) : notRegular(stats);
      }),
    ),
  create: (path, text, mode) =>
    attempt(() =>
      withFile(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600, (file) => {
        try {
          writeFileSync(file, text);
          fchmodSync(file, mode & 0o7777);
          fsyncSync(file);
          return 0;
        } catch (error) {
          unlinkSync(path);
          throw error;
        }
      }),
    ),
  rename: (from, to) => statusOf(() => renameSync(from, to)),
  unlink: (path) => statusOf(() => unlinkSync(path)),
  mkdir: (path) =>
    statusOf(() => {
      mkdirSync(path, 0o755);
      chmodSync(path, 0o755);
    }),
  syncDirectory: (path) => statusOf(() => withFile(path, O_RDONLY | O_DIRECTORY, 0, fsyncSync)),
  nodeName: hostname,
  pid: () => process.pid,
};

function withFile<T>(path: string, flags: number, mode: number, work: (file: number) => T): T {
  const file = openSync(path, flags, mode);
  try {
    return work(file);
  } finally {
    closeSync(file);
  }
}

function readText(file: number, limit: number): string | number {
  const chunks: Buffer[] = [];
  for (let length = 0; ; ) {
    const chunk = Buffer.alloc(Math.min(65536, limit + 1 - length));
    const got = readSync(file, chunk, 0, chunk.length, null);
    if (got === 0) return decode(Buffer.concat(chunks)) ?? NOT_TEXT;
    length += got;
    if (length > limit) return TOO_LARGE;
    chunks.push(chunk.subarray(0, got));
  }
}

function notRegular(stats: Stats): number {
  return stats.isDirectory() ? EISDIR : NOT_REGULAR;
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function statusOf(work: () => void): number {
  return attempt(() => {
    work();
    return 0;
  });
}

/** Converts exceptions of system calls to -errno. */
function attempt<T>(work: () => T): T | number {
  try {
    return work();
  } catch (error) {
    if (error instanceof Error && 'errno' in error && typeof error.errno === 'number') return error.errno;
    throw error;
  }
}
