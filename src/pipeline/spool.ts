import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isErrno } from '../support/file-system.ts';
import { isAbandoned, ownedSuffix } from '../support/ownership.ts';

const PREFIX = '.kubeparcel.';
/** No build takes as long; what is older belongs to a machine or a container that is gone. */
const ABANDONED_AFTER = 86_400_000;

/**
 * A directory below `out` for what must wait until it is whole; it is on the same file system as the results, so that
 * finished files can be renamed into place. Directories that killed runs left behind are swept first.
 *
 * @returns the directory, and a function that removes it
 */
export async function makeSpool(out: string): Promise<{ directory: string; remove: () => Promise<void> }> {
  await mkdir(out, { recursive: true });
  await sweep(out);
  const directory = join(out, `.kubeparcel${ownedSuffix()}`);
  await mkdir(directory);
  return { directory, remove: () => remove(directory) };
}

const remove = (path: string) => rm(path, { recursive: true, force: true });

async function sweep(out: string): Promise<void> {
  for (const name of await readdir(out)) {
    if (!name.startsWith(PREFIX)) continue;
    const path = join(out, name);
    try {
      if (isAbandoned(name) || Date.now() - (await stat(path)).mtimeMs > ABANDONED_AFTER) await remove(path);
    } catch (error) {
      // Another process sweeps too.
      if (!isErrno(error, 'ENOENT')) throw error;
    }
  }
}
