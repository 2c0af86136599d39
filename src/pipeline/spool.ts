import { mkdtemp, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ensureDir, remove } from 'fs-extra/esm';

const PREFIX = '.kubeparcel-';

/**
 * A folder below `out` for what must wait until it is whole; it is on the same file system as the results, so that
 * finished files can be renamed into place. Folders that killed runs left behind are swept first.
 *
 * @returns the folder, and a function that removes it
 */
export async function makeSpool(out: string): Promise<{ folder: string; remove: () => Promise<void> }> {
  await ensureDir(out);
  await sweep(out);
  const folder = await mkdtemp(join(out, `${PREFIX}${process.pid}-`));
  return { folder, remove: () => remove(folder) };
}

async function sweep(out: string): Promise<void> {
  for (const name of await readdir(out)) {
    const owner = /^\.kubeparcel-(\d+)-/.exec(name)?.[1];
    if (owner !== undefined && !isAlive(Number(owner))) {
      await remove(join(out, name));
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
