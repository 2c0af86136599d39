import { opendir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { KubeparcelError } from '../../support/errors.ts';
import { isErrno } from '../../support/file-system.ts';
import type { SourceFile } from './target.ts';

/**
 * All files below a folder, sorted by path. What begins with a dot is nobody's but its owner's (state, locks,
 * unfinished files) and is left out, unless asked for.
 *
 * @throws KubeparcelError of kind 'io' for a link or a special file where only files and folders may be
 */
export async function listFiles(folder: string, options: { readonly hidden?: boolean } = {}): Promise<SourceFile[]> {
  const files: SourceFile[] = [];
  const folders = [''];
  for (let prefix = folders.pop(); prefix !== undefined; prefix = folders.pop()) {
    for await (const entry of await openFolder(join(folder, prefix))) {
      const path = `${prefix}${entry.name}`;
      if (entry.name.startsWith('.') && options.hidden !== true) continue;
      if (entry.isDirectory()) folders.push(`${path}/`);
      else if (entry.isFile()) {
        // A file that goes away in between was a temporary one.
        const found = await stat(join(folder, path)).catch(ignoreMissing);
        if (found !== undefined) files.push({ path, size: found.size });
      } else {
        throw new KubeparcelError('io', 'neither a file nor a folder; a repository holds nothing else', {
          where: join(folder, path),
          todo: 'remove it',
        });
      }
    }
  }
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}

async function openFolder(path: string) {
  try {
    return await opendir(path);
  } catch (cause) {
    throw new KubeparcelError('io', 'the folder cannot be read', { where: path, cause });
  }
}

function ignoreMissing(error: unknown): undefined {
  if (isErrno(error, 'ENOENT')) return undefined;
  throw error;
}
