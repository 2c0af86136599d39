import { createHash } from 'node:crypto';
import { chmod, lutimes, mkdtemp, open, rename, symlink, utimes } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { ensureDir, remove } from 'fs-extra/esm';
import { KubeparcelError } from '../support/errors.ts';
import { type Content, contentSize } from './layout.ts';
import type { ObjectReader } from './objects.ts';

/** A file, folder or link of a tree on disk; `path` is relative, `/`-separated, without `..`. */
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
 * Writes a tree into a folder that appears only when all of it is there; one that stands there already is an error.
 * Modes hold whatever the umask; owners are the caller's. Parents that the items do not name get 0755. Contents are
 * verified as they pass.
 */
export async function writeTree(folder: string, items: readonly TreeItem[], objects: ObjectReader): Promise<void> {
  await ensureDir(dirname(folder));
  const beside = await mkdtemp(join(dirname(folder), `.${basename(folder)}.`));
  try {
    for (const item of items) {
      await writeItem(join(beside, item.path), item, objects);
    }
    // Children change the times of their folders, and a folder may be closed to its owner: both come last, inside out.
    for (const item of [...items].reverse()) {
      await finishItem(join(beside, item.path), item);
    }
    await chmod(beside, 0o755);
    await rename(beside, folder);
  } catch (error) {
    await remove(beside);
    if (isErrno(error, 'ENOTEMPTY') || isErrno(error, 'EEXIST') || isErrno(error, 'ENOTDIR')) {
      throw new KubeparcelError('io', 'there is something here already', {
        where: folder,
        todo: 'name another folder, or remove this one',
      });
    }
    throw error;
  }
}

async function writeItem(path: string, item: TreeItem, objects: ObjectReader): Promise<void> {
  await ensureDir(item.kind === 'directory' ? path : dirname(path));
  if (item.kind === 'symlink') {
    await symlink(item.target, path);
  } else if (item.kind === 'file') {
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
    throw new KubeparcelError('verification', `a stored file has changed: ${size} bytes with SHA-256 ${found}`, {
      where: `object ${content.sha256} (${content.size} bytes)`,
      todo: 'run the command again: damaged objects of the store are fetched anew',
    });
  }
}

function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
