import { lstat, opendir, readlink, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { KubeparcelError } from '../../support/errors.ts';
import { isErrno } from '../../support/file-system.ts';

/** A file of the repository to publish. */
export interface SourceFile {
  /** Relative to the repository, `/`-separated. */
  readonly path: string;
  /** Bytes; for a symbolic link the length of its target. */
  readonly size: number;
  /** The same for all hard links of a file; undefined for a file with one link. */
  readonly id: string | undefined;
  /** Target of a symbolic link; undefined for a file. */
  readonly link: string | undefined;
}

/** A file of the repository or the target, with the facts for comparing the two. */
export interface ListedFile extends Pick<SourceFile, 'path' | 'size'>, Partial<Pick<SourceFile, 'id' | 'link'>> {
  /** Of the content, in the target's form; undefined if unknown. */
  readonly digest: string | undefined;
}

/**
 * - source: a repository without hidden files (state, locks, temporary files), but with symbolic links and the hidden
 *   directories they point to
 * - target: all files; symbolic links are not followed
 * - plain: a repository as a web server shows it: symbolic links are replaced by what they point to
 */
type Mode = 'source' | 'target' | 'plain';

/** The only kind of symbolic link in a repository: `repodata` points to a hidden directory next to it. */
const LINK_TARGET = /^\.[A-Za-z0-9][A-Za-z0-9._-]*$/;

/**
 * All files below a directory, sorted by path.
 *
 * @throws KubeparcelError of kind 'io' for other symbolic links and special files, except in mode 'target'
 */
export async function listFiles(directory: string, mode: Mode): Promise<SourceFile[]> {
  const files: SourceFile[] = [];
  const directories: [physical: string, path: string][] = [['', '']];
  for (let next = directories.pop(); next !== undefined; next = directories.pop()) {
    const [physical, prefix] = next;
    for await (const { name } of await openDirectory(join(directory, physical))) {
      if (name.startsWith('.') && mode !== 'target') continue;
      const path = `${prefix}${name}`;
      const absolute = join(directory, physical, name);
      // Ignores temporary files that disappear during the listing.
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
          if (!isDirectory) throw unexpectedFile(absolute);
          directories.push([`${physical}${link}/`, mode === 'plain' ? `${path}/` : `${prefix}${link}/`]);
        }
        if (mode !== 'plain') files.push({ path, size: Buffer.byteLength(link), id: undefined, link });
      } else if (mode !== 'target') {
        throw unexpectedFile(absolute);
      }
    }
  }
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}

function unexpectedFile(where: string): KubeparcelError {
  return new KubeparcelError('io', 'neither a regular file nor a directory', {
    where,
    hint: `inspect it with ls -l ${dirname(where)}, and remove it`,
  });
}

async function openDirectory(path: string) {
  try {
    return await opendir(path);
  } catch (cause) {
    throw new KubeparcelError('io', 'cannot read the directory', { where: path, cause });
  }
}

function ignoreMissing(error: unknown): undefined {
  if (isErrno(error, 'ENOENT')) return undefined;
  throw error;
}
