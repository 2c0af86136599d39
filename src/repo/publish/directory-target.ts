import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { link as linkFile, mkdir, rename, rm, stat, symlink } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import pLimit from 'p-limit';
import { KubeparcelError } from '../../support/errors.ts';
import { isErrno, removeEmptyDirectories, syncDirectory } from '../../support/file-system.ts';
import { writeAtomically } from '../../support/write-atomically.ts';
import { digestFile } from '../records/read-record.ts';
import { type ListedFile, listFiles, type SourceFile } from '../storage/list-files.ts';
import type { Upload } from './plan.ts';
import type { Comparison, PublishContext, PublishTarget } from './target.ts';

const CONCURRENCY = 4;

/** A local directory, for example of a web server. Files are replaced atomically. */
export class DirectoryTarget implements PublishTarget {
  readonly name: string;
  readonly mode = 'source';

  constructor(directory: string) {
    this.name = directory;
  }

  /** @throws KubeparcelError of kind 'usage' if the target is inside the repository or contains it */
  async compare(files: readonly SourceFile[], { directory, signal }: PublishContext): Promise<Comparison> {
    refuseOverlap(resolve(directory), resolve(this.name));
    // Includes hidden files, so that temporary files of a killed run are deleted.
    const remote = (await isDirectory(this.name)) ? await listFiles(this.name, 'target') : [];
    const sizes = new Map(remote.map(({ path, size }) => [path, size]));
    const localSizes = new Map(files.map(({ path, size }) => [path, size]));
    const isSameSize = ({ path, size }: SourceFile) => sizes.get(path) === size && localSizes.get(path) === size;
    return {
      local: await withDigests(directory, files, isSameSize, signal),
      remote: await withDigests(this.name, remote, isSameSize, signal),
    };
  }

  async present(): Promise<ReadonlySet<string>> {
    return new Set((await listFiles(this.name, 'target')).map(({ path }) => path));
  }

  async upload(uploads: readonly Upload[], { directory, signal, onEvent }: PublishContext): Promise<void> {
    const limit = pLimit(CONCURRENCY);
    await Promise.all(
      uploads.map((upload) =>
        limit(async () => {
          signal?.throwIfAborted();
          const path = join(this.name, upload.path);
          await mkdir(dirname(path), { recursive: true });
          await placeFile(upload, join(directory, upload.path), path, this.name);
          onEvent({ type: 'uploaded', upload });
        }),
      ),
    );
  }

  async remove(paths: readonly string[], { signal, onEvent }: PublishContext): Promise<void> {
    for (const path of paths) {
      signal?.throwIfAborted();
      await rm(join(this.name, path), { force: true });
      onEvent({ type: 'deleted', path });
      await removeEmptyDirectories(this.name, dirname(path));
    }
  }

  async close(): Promise<void> {}
}

/** Creates a symbolic link, a hard link to a file of the target, or a copy of the source; atomically in each case. */
async function placeFile({ link, twin }: Upload, source: string, path: string, target: string): Promise<void> {
  if (link === undefined && twin === undefined) {
    await writeAtomically(path, createReadStream(source));
    return;
  }
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`);
  try {
    if (link !== undefined) await symlink(link, temporary);
    else await linkFile(join(target, twin ?? ''), temporary);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    // EPERM: the file system has no hard links.
    if (twin === undefined || !isErrno(error, 'EPERM')) throw error;
    await writeAtomically(path, createReadStream(source));
    return;
  }
  await syncDirectory(dirname(path));
}

/** Adds digests where they are needed; files of different size need none. */
async function withDigests(
  directory: string,
  files: readonly SourceFile[],
  isNeeded: (file: SourceFile) => boolean,
  signal: AbortSignal | undefined,
): Promise<ListedFile[]> {
  const limit = pLimit(CONCURRENCY);
  return Promise.all(
    files.map((file) =>
      limit(async () => {
        signal?.throwIfAborted();
        const { link } = file;
        const digest = async () => (link === undefined ? digestFile(join(directory, file.path)) : `link ${link}`);
        return { ...file, digest: isNeeded(file) ? await digest() : undefined };
      }),
    ),
  );
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return false;
    throw error;
  }
}

function refuseOverlap(source: string, target: string): void {
  const isInside = (inner: string, outer: string) => inner === outer || inner.startsWith(`${outer}/`);
  if (!isInside(source, target) && !isInside(target, source)) return;
  throw new KubeparcelError('usage', 'the target is inside the repository or contains it', {
    where: target,
    hint: 'use a directory outside the repository',
  });
}
