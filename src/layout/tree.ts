import { createHash } from 'node:crypto';
import { chmod, lstat, lutimes, mkdir, mkdtemp, open, rename, rm, symlink, utimes } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { ObjectReader } from '../model/content.ts';
import { type Content, contentSize } from '../model/content.ts';
import { KubeparcelError } from '../support/errors.ts';
import { isErrno } from '../support/file-system.ts';

/** A file, directory or symbolic link in a tree; `path` is relative, `/`-separated, without `..`. */
export type TreeItem = {
  readonly path: string;
  /** Seconds since 1970-01-01 UTC. */
  readonly mtime: number;
} & (
  | { readonly kind: 'file'; readonly mode: number; readonly content: Content }
  | { readonly kind: 'directory'; readonly mode: number }
  | { readonly kind: 'symlink'; readonly target: string }
);

/**
 * Writes a tree to a new directory, which appears only when complete. Modes do not depend on the umask; all files belong
 * to the current user. Missing parent directories get mode 0755. Contents are verified.
 *
 * @throws KubeparcelError of kind 'io' if the directory exists, even if it is empty; 'format' for items below a link or
 *   file, outside the tree or listed twice; 'verification' for content that does not match its digest
 */
export async function writeTree(directory: string, items: readonly TreeItem[], objects: ObjectReader): Promise<void> {
  const tree = withParents(items);
  let temporary: string | undefined;
  try {
    await rejectExisting(directory);
    await mkdir(dirname(directory), { recursive: true });
    temporary = await mkdtemp(join(dirname(directory), `.${basename(directory)}.`));
    for (const item of tree) {
      await writeItem(join(temporary, item.path), item, objects);
    }
    // Modes and mtimes come last, children first: writing children changes the mtime, and a mode may forbid writing.
    for (const item of tree.toReversed()) {
      await finishItem(join(temporary, item.path), item);
    }
    await chmod(temporary, 0o755);
    // rename() would replace an empty directory.
    await rejectExisting(directory);
    await rename(temporary, directory);
  } catch (error) {
    if (temporary !== undefined) await rm(temporary, { recursive: true, force: true });
    if (['ENOTEMPTY', 'EEXIST', 'ENOTDIR'].some((code) => isErrno(error, code))) {
      throw alreadyExists(directory);
    }
    throw error;
  }
}

async function rejectExisting(directory: string): Promise<void> {
  try {
    await lstat(directory);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return;
    throw error;
  }
  throw alreadyExists(directory);
}

function alreadyExists(directory: string): KubeparcelError {
  return new KubeparcelError('io', 'already exists', {
    where: directory,
    hint: 'choose another directory or remove this one',
  });
}

/** The items with missing parents added, sorted so that parents come first. */
function withParents(items: readonly TreeItem[]): TreeItem[] {
  const tree = new Map<string, TreeItem>();
  for (const item of items) {
    if (!/^(?!\.{0,2}(\/|$))[^/]+(\/(?!\.{0,2}(\/|$))[^/]+)*$/.test(item.path)) {
      throw misplaced(item.path, 'is not a relative path inside the tree');
    }
    if (tree.has(item.path)) throw misplaced(item.path, 'is listed twice');
    tree.set(item.path, item);
  }
  for (const { path, mtime } of items) {
    for (let slash = path.indexOf('/'); slash !== -1; slash = path.indexOf('/', slash + 1)) {
      const parent = path.slice(0, slash);
      const found = tree.get(parent);
      if (found === undefined) tree.set(parent, { path: parent, kind: 'directory', mode: 0o755, mtime });
      else if (found.kind !== 'directory') throw misplaced(path, `is below ${parent}, which is not a directory`);
    }
  }
  return [...tree.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

function misplaced(path: string, problem: string): KubeparcelError {
  return new KubeparcelError('format', `${JSON.stringify(path)} ${problem}`, {
    hint: 'fix the contents in packaging/packages',
  });
}

async function writeItem(path: string, item: TreeItem, objects: ObjectReader): Promise<void> {
  if (item.kind === 'directory') {
    await mkdir(path);
    await chmod(path, 0o700);
  } else if (item.kind === 'symlink') {
    await symlink(item.target, path);
  } else {
    const file = await open(path, 'wx', 0o600);
    try {
      for await (const chunk of verifiedContent(item.content, objects)) {
        await file.writeFile(chunk);
      }
    } finally {
      await file.close();
    }
  }
}

async function finishItem(path: string, item: TreeItem): Promise<void> {
  if (item.kind === 'symlink') {
    await lutimes(path, item.mtime, item.mtime);
    return;
  }
  await chmod(path, item.mode);
  await utimes(path, item.mtime, item.mtime);
}

/**
 * Streams content. Verifies the digest and size of stored content at the end.
 *
 * @throws KubeparcelError of kind 'verification' if they differ
 */
export async function* verifiedContent(content: Content, objects: ObjectReader): AsyncGenerator<Uint8Array> {
  if (content.kind === 'memory') {
    yield content.bytes;
    return;
  }
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of objects.open(content.sha256)) {
    hash.update(chunk);
    size += chunk.length;
    yield chunk;
  }
  const found = hash.digest('hex');
  if (found !== content.sha256 || size !== contentSize(content)) {
    // A failure to remove the object must not hide this error.
    await objects.discard?.(content.sha256).catch(() => {});
    throw new KubeparcelError(
      'verification',
      `an object of the store is damaged: it has ${size} bytes and SHA-256 ${found}`,
      {
        where: `object ${content.sha256} (${content.size} bytes)`,
        hint: 'run the command again; the damaged object was removed and will be fetched again',
      },
    );
  }
}
