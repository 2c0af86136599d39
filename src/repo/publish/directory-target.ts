import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { link as linkFile, mkdir, rename, rm, rmdir, stat, symlink } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import pLimit from 'p-limit';
import { KubeparcelError } from '../../support/errors.ts';
import { isErrno, syncDirectory } from '../../support/file-system.ts';
import { writeAtomically } from '../../support/write-atomically.ts';
import { fileSha256 } from '../storage/file-digest.ts';
import type { ListedFile, SourceFile } from '../storage/files.ts';
import { listFiles } from '../storage/list-files.ts';
import type { Upload } from './plan.ts';
import type { PublishTarget } from './target.ts';

const AT_A_TIME = 4;

/**
 * A directory of this machine, such as a web server's. Each file appears under its name whole or not at all.
 *
 * @throws KubeparcelError of kind 'usage' for a directory inside the repository or around it
 */
export function directoryTarget(target: string): PublishTarget {
  return {
    name: target,
    mode: 'source',
    async compare(files, { directory, signal }) {
      refuseOverlap(resolve(directory), resolve(target));
      // Hidden files too: what a killed run left unfinished goes with the deletions.
      const there = (await isDirectory(target)) ? await listFiles(target, 'target') : [];
      const sizes = new Map(there.map(({ path, size }) => [path, size]));
      const known = new Map(files.map(({ path, size }) => [path, size]));
      const both = ({ path, size }: SourceFile) => sizes.get(path) === size && known.get(path) === size;
      return {
        local: await withDigests(directory, files, both, signal),
        remote: await withDigests(target, there, both, signal),
      };
    },
    async present() {
      return new Set((await listFiles(target, 'target')).map(({ path }) => path));
    },
    async upload(uploads, { directory, signal, onEvent }) {
      const limit = pLimit(AT_A_TIME);
      await Promise.all(
        uploads.map((upload) =>
          limit(async () => {
            signal?.throwIfAborted();
            const path = join(target, upload.path);
            await mkdir(dirname(path), { recursive: true });
            await put(upload, join(directory, upload.path), path, target);
            onEvent({ type: 'uploaded', upload });
          }),
        ),
      );
    },
    async remove(paths, { signal, onEvent }) {
      for (const path of paths) {
        signal?.throwIfAborted();
        await rm(join(target, path), { force: true });
        onEvent({ type: 'deleted', path });
        await removeEmptyDirectories(target, dirname(path));
      }
    },
    close: () => Promise.resolve(),
  };
}

/** A link, another name of a file that is there, or the file's content; in each case whole or not at all. */
async function put({ link, twin }: Upload, source: string, path: string, target: string): Promise<void> {
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
    // A file system that has no hard links.
    if (twin === undefined || !isErrno(error, 'EPERM')) throw error;
    await writeAtomically(path, createReadStream(source));
    return;
  }
  await syncDirectory(dirname(path));
}

/** Digests only of files whose size does not tell already that they differ. */
async function withDigests(
  directory: string,
  files: readonly SourceFile[],
  needed: (file: SourceFile) => boolean,
  signal: AbortSignal | undefined,
): Promise<ListedFile[]> {
  const limit = pLimit(AT_A_TIME);
  return Promise.all(
    files.map((file) =>
      limit(async () => {
        signal?.throwIfAborted();
        const { link } = file;
        const digest = link === undefined ? () => fileSha256(join(directory, file.path)) : () => `link ${link}`;
        return { ...file, digest: needed(file) ? await digest() : undefined };
      }),
    ),
  );
}

async function removeEmptyDirectories(root: string, start: string): Promise<void> {
  for (let directory = start; directory !== '.'; directory = dirname(directory)) {
    try {
      await rmdir(join(root, directory));
    } catch {
      return;
    }
  }
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
  const inside = (inner: string, outer: string) => inner === outer || inner.startsWith(`${outer}/`);
  if (!inside(source, target) && !inside(target, source)) return;
  throw new KubeparcelError('usage', 'the target is in the repository, or the repository in the target', {
    where: target,
    hint: 'name a directory beside the repository',
  });
}
