import type { Stats } from 'node:fs';
import { lstat, readFile, realpath } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { KubeparcelError } from '../../support/errors.ts';
import { isErrno } from '../../support/file-system.ts';
import { digestFile } from '../records/read-record.ts';
import { listFiles, type SourceFile } from '../storage/list-files.ts';
import { type FileFacts, type RepositoryReader, tooLarge } from './reader.ts';

/** @throws KubeparcelError of kind 'usage' if the directory does not exist */
export async function openDirectoryReader(directory: string, signal?: AbortSignal): Promise<DirectoryReader> {
  const root = await realpath(directory).catch((cause) => {
    throw new KubeparcelError('usage', 'no such directory', { where: directory, cause });
  });
  return new DirectoryReader(directory, root, signal);
}

/** Reads from a local directory. Symbolic links to directories inside it are followed, links to files are rejected. */
class DirectoryReader implements RepositoryReader {
  readonly name: string;
  readonly #root: string;
  readonly #signal: AbortSignal | undefined;
  readonly #realPaths = new Map<string, Promise<string>>();
  /** By inode, so that the hard links of a package are read once. */
  readonly #digests = new Map<string, Promise<string>>();

  constructor(name: string, root: string, signal: AbortSignal | undefined) {
    this.name = name;
    this.#root = root;
    this.#signal = signal;
  }

  async read(path: string, max: number): Promise<Buffer | undefined> {
    const found = await this.#find(path);
    if (found === undefined) return undefined;
    if (found.facts.size > max) throw tooLarge(path, max);
    return withReadFailure(found.file, () => readFile(found.file));
  }

  async examine(path: string, size: number, quick: boolean): Promise<FileFacts | undefined> {
    const found = await this.#find(path);
    if (found === undefined) return undefined;
    const { file, facts } = found;
    if (quick || facts.size !== size) return { size: facts.size, sha256: undefined };
    const id = `${facts.dev}:${facts.ino}`;
    const digest = this.#digests.get(id) ?? withReadFailure(file, () => digestFile(file, this.#signal));
    if (facts.nlink > 1) this.#digests.set(id, digest);
    return { size, sha256: await digest };
  }

  async list(): Promise<ReadonlyMap<string, number>> {
    return publicSizes(await listFiles(this.#root, 'target'));
  }

  async close(): Promise<void> {}

  async #find(path: string): Promise<{ readonly file: string; readonly facts: Stats } | undefined> {
    this.#signal?.throwIfAborted();
    const file = join(this.#root, path);
    try {
      const facts = await lstat(file);
      if (!facts.isFile()) throw new KubeparcelError('format', 'not a regular file', { where: path });
      const parent = dirname(file);
      const known = this.#realPaths.get(parent) ?? realpath(parent);
      this.#realPaths.set(parent, known);
      const real = await known;
      const root = this.#root;
      if (real === root || real.startsWith(root.endsWith(sep) ? root : `${root}${sep}`)) return { file, facts };
      throw new KubeparcelError('format', 'a symbolic link in its path leaves the repository', { where: path });
    } catch (cause) {
      if (cause instanceof KubeparcelError) throw cause;
      if (isErrno(cause, 'ENOENT') || isErrno(cause, 'ENOTDIR')) return undefined;
      throw new KubeparcelError('io', 'cannot read the file', { where: file, cause });
    }
  }
}

/** Sizes by the paths that a web server shows: the hidden directory of `repodata` has the name of the link. */
function publicSizes(files: readonly SourceFile[]): ReadonlyMap<string, number> {
  const names = new Map<string, string>();
  for (const { path, link } of files) {
    if (link !== undefined && !link.includes('/'))
      names.set(`${path.slice(0, path.lastIndexOf('/') + 1)}${link}`, path);
  }
  const sizes = new Map<string, number>();
  for (const { path, size, link } of files) {
    const at = path.lastIndexOf('/');
    const directory = names.get(path.slice(0, at));
    if (link === undefined) sizes.set(directory === undefined ? path : `${directory}${path.slice(at)}`, size);
  }
  return sizes;
}

async function withReadFailure<T>(file: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (!(cause instanceof Error) || !('syscall' in cause)) throw cause;
    throw new KubeparcelError('io', 'cannot read the file', { where: file, cause });
  }
}
