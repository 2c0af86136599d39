import type { Stats } from 'node:fs';
import { lstat, readFile, realpath } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { KubeparcelError } from '../../support/errors.ts';
import { isErrno } from '../../support/file-system.ts';
import { digestFile } from '../records/digest-package.ts';
import { listFiles } from '../storage/list-files.ts';
import type { FileFacts, RepositoryReader } from './reader.ts';

/**
 * A directory of this machine. Links are followed as far as they stay in it, and none to a file.
 *
 * @throws KubeparcelError of kind 'usage' for a directory that is not there
 */
export async function directoryReader(directory: string, signal?: AbortSignal): Promise<RepositoryReader> {
  const root = await realpath(directory).catch((cause) => {
    throw new KubeparcelError('usage', 'there is no such directory', { where: directory, cause });
  });
  const places = new Map<string, Promise<string>>();
  const digests = new Map<string, Promise<string>>();

  /** Where the file is, and what it is; undefined when it is not there. */
  const find = async (path: string): Promise<{ readonly file: string; readonly facts: Stats } | undefined> => {
    signal?.throwIfAborted();
    const file = join(root, path);
    try {
      const facts = await lstat(file);
      if (!facts.isFile()) throw new KubeparcelError('format', 'it is no file', { where: path });
      const at = dirname(file);
      const place = places.get(at) ?? realpath(at);
      places.set(at, place);
      const real = await place;
      if (real === root || real.startsWith(root.endsWith(sep) ? root : `${root}${sep}`)) return { file, facts };
      throw new KubeparcelError('format', 'a link leads to it that leaves the repository', { where: path });
    } catch (cause) {
      if (cause instanceof KubeparcelError) throw cause;
      if (isErrno(cause, 'ENOENT') || isErrno(cause, 'ENOTDIR')) return undefined;
      throw new KubeparcelError('io', 'the file cannot be read', { where: file, cause });
    }
  };
  return {
    name: directory,
    async read(path, max) {
      const found = await find(path);
      if (found === undefined) return undefined;
      if (found.facts.size > max) throw new KubeparcelError('format', `it has more than ${max} bytes`, { where: path });
      return readable(found.file, () => readFile(found.file));
    },
    async examine(path, size, quick): Promise<FileFacts | undefined> {
      const found = await find(path);
      if (found === undefined) return undefined;
      const { file, facts } = found;
      if (quick || facts.size !== size) return { size: facts.size, sha256: undefined };
      // A package that has several names is read once.
      const id = facts.nlink > 1 ? `${facts.dev}:${facts.ino}` : file;
      const digest = digests.get(id) ?? readable(file, () => digestFile(file, signal));
      if (facts.nlink > 1) digests.set(id, digest);
      return { size, sha256: await digest };
    },
    list: async () => visible(await listFiles(root, 'target')),
    close: () => Promise.resolve(),
  };
}

/** Sizes by the names that a web server shows: what links lead to stands where the links are. */
function visible(files: Awaited<ReturnType<typeof listFiles>>): ReadonlyMap<string, number> {
  const names = new Map<string, string>();
  for (const { path, link } of files) {
    if (link !== undefined && !link.includes('/'))
      names.set(`${path.slice(0, path.lastIndexOf('/') + 1)}${link}`, path);
  }
  const sizes = new Map<string, number>();
  for (const { path, size, link } of files) {
    const at = path.lastIndexOf('/');
    const shown = names.get(path.slice(0, at));
    if (link === undefined) sizes.set(shown === undefined ? path : `${shown}${path.slice(at)}`, size);
  }
  return sizes;
}

async function readable<T>(file: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (!(cause instanceof Error) || !('syscall' in cause)) throw cause;
    throw new KubeparcelError('io', 'the file cannot be read', { where: file, cause });
  }
}
