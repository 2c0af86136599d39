import { createReadStream } from 'node:fs';
import { mkdir, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import pLimit from 'p-limit';
import { KubeparcelError } from '../../support/errors.ts';
import { isErrno } from '../../support/file-system.ts';
import { writeAtomically } from '../../support/write-atomically.ts';
import { fileSha256 } from './file-digest.ts';
import { listFiles } from './list-files.ts';
import type { ListedFile } from './plan.ts';
import type { PublishTarget, SourceFile } from './target.ts';

const AT_A_TIME = 4;

/**
 * A folder of this machine, such as a web server's. Each file appears under its name whole or not at all.
 *
 * @throws KubeparcelError of kind 'usage' for a folder inside the repository or around it
 */
export function folderTarget(target: string): PublishTarget {
  return {
    name: target,
    async compare(files, { folder, signal }) {
      refuseOverlap(resolve(folder), resolve(target));
      // Hidden files too: what a killed run left unfinished goes with the deletions.
      const there = (await isFolder(target)) ? await listFiles(target, { hidden: true }) : [];
      const sizes = new Map(there.map(({ path, size }) => [path, size]));
      const known = new Map(files.map(({ path, size }) => [path, size]));
      const both = ({ path, size }: SourceFile) => sizes.get(path) === size && known.get(path) === size;
      return {
        local: await withDigests(folder, files, both, signal),
        remote: await withDigests(target, there, both, signal),
      };
    },
    async apply(plan, { folder, signal, onEvent }) {
      for (const { uploads } of plan.phases) {
        for (const rank of new Set(uploads.map((upload) => upload.rank))) {
          const limit = pLimit(AT_A_TIME);
          const same = uploads.filter((upload) => upload.rank === rank);
          await Promise.all(
            same.map((upload) =>
              limit(async () => {
                signal?.throwIfAborted();
                const path = join(target, upload.path);
                await mkdir(dirname(path), { recursive: true });
                await writeAtomically(path, createReadStream(join(folder, upload.path)));
                onEvent({ type: 'uploaded', upload });
              }),
            ),
          );
        }
      }
      for (const path of plan.deletions) {
        signal?.throwIfAborted();
        await rm(join(target, path), { force: true });
        onEvent({ type: 'deleted', path });
        await removeEmptyFolders(target, dirname(path));
      }
    },
    close: () => Promise.resolve(),
  };
}

/** Digests only of files whose size does not tell already that they differ. */
async function withDigests(
  folder: string,
  files: readonly SourceFile[],
  needed: (file: SourceFile) => boolean,
  signal: AbortSignal | undefined,
): Promise<ListedFile[]> {
  const limit = pLimit(AT_A_TIME);
  return Promise.all(
    files.map((file) =>
      limit(async () => {
        signal?.throwIfAborted();
        return { ...file, digest: needed(file) ? await fileSha256(join(folder, file.path)) : undefined };
      }),
    ),
  );
}

async function removeEmptyFolders(root: string, start: string): Promise<void> {
  for (let folder = start; folder !== '.'; folder = dirname(folder)) {
    try {
      await rmdir(join(root, folder));
    } catch {
      return;
    }
  }
}

async function isFolder(path: string): Promise<boolean> {
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
    todo: 'name a folder beside the repository',
  });
}
