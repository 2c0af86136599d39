import { lstat, opendir, readlink, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { KubeparcelError } from '../../support/errors.ts';
import { isErrno } from '../../support/file-system.ts';
import type { SourceFile } from './files.ts';

/**
 * - source: a repository, as it is: without hidden files (state, locks, unfinished work), but with the hidden directories
 *   that its links lead to, and the links
 * - target: all that is there, links as links
 * - plain: a repository as a web server shows it: what links lead to stands where the links are
 */
type Mode = 'source' | 'target' | 'plain';

/** The one kind of link that a repository has: a directory's name for the state that is current, beside it. */
const LINK_TARGET = /^\.[A-Za-z0-9][A-Za-z0-9._-]*$/;

/**
 * All files below a directory, sorted by path.
 *
 * @throws KubeparcelError of kind 'io' for any other link and for special files, unless it is a target
 */
export async function listFiles(directory: string, mode: Mode): Promise<SourceFile[]> {
  const files: SourceFile[] = [];
  // Where a directory is, and what it is called.
  const directories: [physical: string, path: string][] = [['', '']];
  for (let next = directories.pop(); next !== undefined; next = directories.pop()) {
    const [physical, prefix] = next;
    for await (const { name } of await openDirectory(join(directory, physical))) {
      if (name.startsWith('.') && mode !== 'target') continue;
      const path = `${prefix}${name}`;
      const absolute = join(directory, physical, name);
      // A file that goes away in between was a temporary one.
      const found = await lstat(absolute).catch(ignoreMissing);
      if (found === undefined) continue;
      if (found.isDirectory()) directories.push([`${physical}${name}/`, `${path}/`]);
      else if (found.isFile()) {
        const id = found.nlink > 1 ? `${found.dev}:${found.ino}` : undefined;
        files.push({ path, size: found.size, id, link: undefined });
      } else if (found.isSymbolicLink()) {
        const link = await readlink(absolute);
        if (mode !== 'target') {
          const isDirectory = LINK_TARGET.test(link) && (await stat(absolute)).isDirectory();
          if (!isDirectory) throw notOurs(absolute);
          directories.push([`${physical}${link}/`, mode === 'plain' ? `${path}/` : `${prefix}${link}/`]);
        }
        if (mode !== 'plain') files.push({ path, size: Buffer.byteLength(link), id: undefined, link });
      } else if (mode !== 'target') {
        throw notOurs(absolute);
      }
    }
  }
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}

function notOurs(where: string): KubeparcelError {
  return new KubeparcelError('io', 'neither a file nor a directory; a repository holds nothing else', {
    where,
    hint: `remove it, or look what it is with ls -l ${dirname(where)}`,
  });
}

async function openDirectory(path: string) {
  try {
    return await opendir(path);
  } catch (cause) {
    throw new KubeparcelError('io', 'the directory cannot be read', { where: path, cause });
  }
}

function ignoreMissing(error: unknown): undefined {
  if (isErrno(error, 'ENOENT')) return undefined;
  throw error;
}
