import { createHash } from 'node:crypto';
import { createReadStream, type Dirent, readdirSync, statSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { isIntactBlockFile } from '../compress/block-file.ts';
import { BLOCK_RECIPE } from '../compress/block-store.ts';
import { parseChecksummed } from '../support/checksummed-lines.ts';
import { isErrno } from '../support/file-system.ts';
import { isIntactRecord } from './artifact-index.ts';

/**
 * - objects: artifacts and their files, by SHA-256
 * - index: records of the files of each artifact
 * - blocks: compressed blocks
 * - facts: lines about contents, such as other digests (BlockStore.fact)
 * - built: records of the packages that were written
 */
export const CACHE_KINDS = ['objects', 'index', 'blocks', 'facts', 'built'] as const;
export type CacheKind = (typeof CACHE_KINDS)[number];

export interface CachedFile {
  readonly kind: CacheKind;
  /** Relative to the cache's directory, with slashes on every platform. */
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** Last use in seconds since 1970-01-01 UTC: the atime of objects, the mtime of everything else. */
  readonly used: number;
  /** False for compressed blocks and facts of another version of kubeparcel. */
  readonly current: boolean;
}

/** Default limit for compressed blocks, in bytes: about 80 releases of one architecture at level 19. */
export const DEFAULT_BLOCK_LIMIT = 5 * 2 ** 30;

/** All files of the cache except partial downloads and runners, ordered by directory and path. */
export function listCache(directory: string): CachedFile[] {
  return [
    ...filesIn(directory, 'objects', () => 'objects'),
    ...filesIn(directory, 'index', () => 'index'),
    ...packedFiles(directory),
    ...filesIn(directory, 'built', () => 'built'),
  ];
}

function packedFiles(directory: string): CachedFile[] {
  return filesIn(directory, 'packed', (path) => (path.split('/')[2] === 'facts' ? 'facts' : 'blocks'));
}

/** Synchronous, because every build calls it and asynchronous calls take ten times as long for many small files. */
function filesIn(directory: string, subdirectory: string, kindOf: (path: string) => CacheKind): CachedFile[] {
  let entries: Dirent[];
  try {
    entries = readdirSync(join(directory, subdirectory), { recursive: true, withFileTypes: true });
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return [];
    throw error;
  }
  const found: CachedFile[] = [];
  for (const entry of entries) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    try {
      const { size, mtimeMs, atimeMs } = statSync(path);
      const shortPath = relative(directory, path).split(sep).join('/');
      const kind = kindOf(shortPath);
      const used = Math.floor((kind === 'objects' ? atimeMs : mtimeMs) / 1000);
      const current = subdirectory !== 'packed' || shortPath.split('/')[1] === BLOCK_RECIPE;
      found.push({ kind, path: shortPath, size, used, current });
    } catch (error) {
      // Another process removed it.
      if (!isErrno(error, 'ENOENT')) throw error;
    }
  }
  return found.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/**
 * Selects compressed blocks to remove for `cache prune`: all blocks of other versions, then the least recently used ones
 * until at most `maxBytes` remain.
 */
export function selectForPrune(files: readonly CachedFile[], maxBytes: number): CachedFile[] {
  const blocks = files.filter(({ kind }) => kind === 'blocks');
  const outdated = blocks.filter(({ current }) => !current);
  return [...outdated, ...leastRecent(without(blocks, outdated), maxBytes)];
}

/** Seconds. After this time, a build that used a block has finished. */
const IN_USE_SECONDS = 3 * 3600;
/** Seconds. Blocks of another version that were used more recently are kept: that version is still in use. */
const OUTDATED_SECONDS = 7 * 86_400;

/**
 * Selects compressed blocks to remove after a build. Keeps blocks that a running build may use, and blocks of another
 * version that is still in use.
 *
 * @param now seconds since 1970-01-01 UTC
 */
export function selectForLimit(files: readonly CachedFile[], maxBytes: number, now: number): CachedFile[] {
  const blocks = files.filter(({ kind }) => kind === 'blocks');
  const outdated = blocks.filter(({ current, used }) => !current && used < now - OUTDATED_SECONDS);
  const rest = leastRecent(without(blocks, outdated), maxBytes).filter(({ used }) => used < now - IN_USE_SECONDS);
  return [...outdated, ...rest];
}

function without(files: readonly CachedFile[], others: readonly CachedFile[]): CachedFile[] {
  const excluded = new Set(others);
  return files.filter((file) => !excluded.has(file));
}

/** The least recently used files, chosen so that the other files have at most `maxBytes`. */
function leastRecent(files: readonly CachedFile[], maxBytes: number): CachedFile[] {
  let left = totalSize(files);
  return [...files]
    .sort((a, b) => a.used - b.used)
    .filter(({ size }) => {
      const isSelected = left > maxBytes;
      if (isSelected) left -= size;
      return isSelected;
    });
}

/** Total size in bytes. */
export function totalSize(files: readonly CachedFile[]): number {
  return files.reduce((sum, { size }) => sum + size, 0);
}

/** Removes compressed blocks over the default limit. */
export async function limitBlocks(directory: string): Promise<void> {
  await removeCached(directory, selectForLimit(packedFiles(directory), DEFAULT_BLOCK_LIMIT, Date.now() / 1000));
}

export async function removeCached(directory: string, files: readonly CachedFile[]): Promise<void> {
  for (const { path } of files) await rm(join(directory, path), { force: true });
}

/** Removes all files that `listCache` lists, anything else in their directories, and partial downloads. */
export async function emptyCache(directory: string): Promise<void> {
  for (const name of ['built', 'packed', 'index', 'objects', 'partial']) {
    await rm(join(directory, name), { recursive: true, force: true });
  }
}

/** Whether a file of the cache matches the digest in its name or in the file itself. */
export async function isIntact(directory: string, { kind, path }: CachedFile): Promise<boolean> {
  const file = join(directory, path);
  try {
    if (kind === 'blocks') return await isIntactBlockFile(file);
    if (kind === 'index') return isIntactRecord(await readFile(file, 'utf8'));
    if (kind !== 'objects') return parseChecksummed(await readFile(file, 'utf8')) !== undefined;
    const hash = createHash('sha256');
    for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) hash.update(chunk);
    return hash.digest('hex') === path.split('/').slice(1).join('');
  } catch (error) {
    // Another process removed it.
    if (isErrno(error, 'ENOENT')) return true;
    throw error;
  }
}
