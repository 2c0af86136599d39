import { createHash } from 'node:crypto';
import { chmod, lstat, lutimes, mkdir, mkdtemp, open, rename, rm, symlink, utimes } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { ObjectReader } from '../model/content.ts';
import { type Content, contentSize } from '../model/content.ts';
import { KubeparcelError } from '../support/errors.ts';
import { isErrno } from '../support/file-system.ts';

/** A file, directory or link of a tree on disk; `path` is relative, `/`-separated, without `..`. */
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
 * Writes a tree into a directory that appears only when all of it is there; one that stands there already is an error, also
 * when it is empty. Modes hold whatever the umask; owners are the caller's. Parents that the items do not name get 0755.
 * Contents are verified as they pass.
 *
 * @throws KubeparcelError of kind 'io' when something is there already, 'format' for items below a link or a file,
 * outside the tree or named twice, 'verification' for a content that is not what its digest says
 */
export async function writeTree(directory: string, items: readonly TreeItem[], objects: ObjectReader): Promise<void> {
  const tree = wholeTree(items);
  let beside: string | undefined;
  try {
    await refuseOccupied(directory);
    await mkdir(dirname(directory), { recursive: true });
    beside = await mkdtemp(join(dirname(directory), `.${basename(directory)}.`));
    for (const item of tree) {
      await writeItem(join(beside, item.path), item, objects);
    }
    // Children change the times of their directories, and a directory may be closed to its owner: both come last, inside out.
    for (const item of tree.toReversed()) {
      await finishItem(join(beside, item.path), item);
    }
    await chmod(beside, 0o755);
    // Renaming would replace an empty directory.
    await refuseOccupied(directory);
    await rename(beside, directory);
  } catch (error) {
    if (beside !== undefined) await rm(beside, { recursive: true, force: true });
    if (['ENOTEMPTY', 'EEXIST', 'ENOTDIR'].some((code) => isErrno(error, code))) {
      throw occupied(directory);
    }
    throw error;
  }
}

async function refuseOccupied(directory: string): Promise<void> {
  try {
    await lstat(directory);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return;
    throw error;
  }
  throw occupied(directory);
}

function occupied(directory: string): KubeparcelError {
  return new KubeparcelError('io', 'there is something here already', {
    where: directory,
    hint: 'name another directory, or remove this one',
  });
}

/** The items and the parents that they leave out, each parent before what is in it. */
function wholeTree(items: readonly TreeItem[]): TreeItem[] {
  const tree = new Map<string, TreeItem>();
  for (const item of items) {
    if (!/^(?!\.{0,2}(\/|$))[^/]+(\/(?!\.{0,2}(\/|$))[^/]+)*$/.test(item.path)) {
      throw misplaced(item.path, 'is no path inside the tree');
    }
    if (tree.has(item.path)) throw misplaced(item.path, 'is in the tree twice');
    tree.set(item.path, item);
  }
  for (const { path, mtime } of items) {
    for (let slash = path.indexOf('/'); slash !== -1; slash = path.indexOf('/', slash + 1)) {
      const parent = path.slice(0, slash);
      const found = tree.get(parent);
      if (found === undefined) tree.set(parent, { path: parent, kind: 'directory', mode: 0o755, mtime });
      else if (found.kind !== 'directory') throw misplaced(path, `lies below ${parent}, which is no directory`);
    }
  }
  return [...tree.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

function misplaced(path: string, problem: string): KubeparcelError {
  return new KubeparcelError('format', `${JSON.stringify(path)} ${problem}`, {
    hint: 'mend the contents in packaging/packages',
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
 * The bytes of a content; after the last one the digest and size of a stored content are compared with what the layout
 * states, and a KubeparcelError of kind 'verification' ends the stream when they differ.
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
    // Where it cannot be removed, that is not what is wrong.
    await objects.discard?.(content.sha256).catch(() => {});
    throw new KubeparcelError('verification', `a stored file has changed: ${size} bytes with SHA-256 ${found}`, {
      where: `object ${content.sha256} (${content.size} bytes)`,
      hint: 'run the command again: damaged objects of the store are removed, and fetched anew',
    });
  }
}
