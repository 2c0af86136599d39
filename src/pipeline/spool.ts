import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isErrno } from '../support/file-system.ts';
import { isAbandoned, ownedSuffix } from '../support/ownership.ts';

const PREFIX = '.kubeparcel.';
/** Milliseconds. Longer than any build; an older directory is from a run on another machine or in a container. */
const ABANDONED_AFTER = 86_400_000;

/**
 * Creates a directory below `out` for unfinished files. It is on the same file system as the results, so that finished
 * files can be renamed into place. Removes the directories of killed runs first.
 *
 * @returns the directory, and a function that removes it
 */
export async function makeSpool(out: string): Promise<{ directory: string; remove: () => Promise<void> }> {
  await mkdir(out, { recursive: true });
  await removeAbandoned(out);
  const directory = join(out, `.kubeparcel${ownedSuffix()}`);
  await mkdir(directory);
  return { directory, remove: () => remove(directory) };
}

const remove = (path: string) => rm(path, { recursive: true, force: true });

async function removeAbandoned(out: string): Promise<void> {
  for (const name of await readdir(out)) {
    if (!name.startsWith(PREFIX)) continue;
    const path = join(out, name);
    try {
      if (isAbandoned(name) || Date.now() - (await stat(path)).mtimeMs > ABANDONED_AFTER) await remove(path);
    } catch (error) {
      // Another process removed it.
      if (!isErrno(error, 'ENOENT')) throw error;
    }
  }
}
