import { createHash } from 'node:crypto';
import { createReadStream, type Dirent, readdirSync, statSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { isIntactBlockFile } from '../compress/block-file.ts';
import { BLOCK_RECIPE } from '../compress/block-store.ts';
import { parseChecksummed } from '../support/checksummed-lines.ts';
import { isErrno } from '../support/file-system.ts';
import { isSoundRecord } from './artifact-index.ts';

/**
 * What the cache holds: artifacts and their files by digest, what became of artifacts, compressed blocks, facts, records of
 * packages written.
 */
export const CACHE_KINDS = ['objects', 'index', 'blocks', 'facts', 'built'] as const;
export type CacheKind = (typeof CACHE_KINDS)[number];

export interface CachedFile {
  readonly kind: CacheKind;
  /** Relative to the cache's directory, with slashes. */
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** Seconds since 1970-01-01 UTC: when it was last written or used; of objects, when it was last read. */
  readonly used: number;
  /** For compressed blocks: by this version of kubeparcel. */
  readonly current: boolean;
}

/** Bytes of compressed blocks that are kept when nobody says otherwise: some 80 releases of one architecture at level 19. */
export const USUAL_BLOCKS = 5 * 2 ** 30;

/** All files of the cache, sorted by path; other directories in it (partial downloads, runners) are left out. */
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

/** Node's threads would take ten times as long for so many small questions, and every build asks them. */
function filesIn(directory: string, room: string, kindOf: (path: string) => CacheKind): CachedFile[] {
  let entries: Dirent[];
  try {
    entries = readdirSync(join(directory, room), { recursive: true, withFileTypes: true });
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
      const shown = relative(directory, path).split(sep).join('/');
      const kind = kindOf(shown);
      const used = Math.floor((kind === 'objects' ? atimeMs : mtimeMs) / 1000);
      found.push({ kind, path: shown, size, used, current: room !== 'packed' || shown.split('/')[1] === BLOCK_RECIPE });
    } catch (error) {
      // Another process prunes too.
      if (!isErrno(error, 'ENOENT')) throw error;
    }
  }
  return found.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/**
 * Which compressed blocks go so that the rest has at most `maxBytes`: all that another version made, then the least
 * recently used.
 */
export function choosePruned(files: readonly CachedFile[], maxBytes: number): CachedFile[] {
  const blocks = files.filter(({ kind }) => kind === 'blocks');
  const gone = blocks.filter(({ current }) => !current);
  return [...gone, ...oldest(without(blocks, gone), maxBytes)];
}

/** Seconds: a build that uses blocks is over by then. */
const IN_USE = 3 * 3600;
/** Seconds: another version that was used since is used beside this one. */
const ABANDONED = 7 * 86_400;

/**
 * The same for builds, which nobody asked to remove anything: what somebody may use now stays, and so do another version's
 * blocks while that is in use.
 *
 * @param now seconds since 1970-01-01 UTC
 */
export function chooseBounded(files: readonly CachedFile[], maxBytes: number, now: number): CachedFile[] {
  const blocks = files.filter(({ kind }) => kind === 'blocks');
  const abandoned = blocks.filter(({ current, used }) => !current && used < now - ABANDONED);
  const rest = oldest(without(blocks, abandoned), maxBytes).filter(({ used }) => used < now - IN_USE);
  return [...abandoned, ...rest];
}

function without(files: readonly CachedFile[], others: readonly CachedFile[]): CachedFile[] {
  const gone = new Set(others);
  return files.filter((file) => !gone.has(file));
}

/** The least recently used, so that the others have at most `maxBytes`. */
function oldest(files: readonly CachedFile[], maxBytes: number): CachedFile[] {
  let left = sizeOf(files);
  return [...files]
    .sort((a, b) => a.used - b.used)
    .filter(({ size }) => {
      const goes = left > maxBytes;
      if (goes) left -= size;
      return goes;
    });
}

/** Bytes of all. */
export function sizeOf(files: readonly CachedFile[]): number {
  return files.reduce((sum, { size }) => sum + size, 0);
}

/** Keeps the compressed blocks within their usual bounds. */
export async function boundBlocks(directory: string): Promise<void> {
  await removeCached(directory, chooseBounded(packedFiles(directory), USUAL_BLOCKS, Date.now() / 1000));
}

export async function removeCached(directory: string, files: readonly CachedFile[]): Promise<void> {
  for (const { path } of files) await rm(join(directory, path), { force: true });
}

/** Removes all that `listCache` tells of, with whatever else is in its place, and what broken downloads left. */
export async function emptyCache(directory: string): Promise<void> {
  for (const room of ['built', 'packed', 'index', 'objects', 'partial']) {
    await rm(join(directory, room), { recursive: true, force: true });
  }
}

/** Whether a file of the cache is what its name or its own sum says. */
export async function isSoundCached(directory: string, { kind, path }: CachedFile): Promise<boolean> {
  const file = join(directory, path);
  try {
    if (kind === 'blocks') return await isIntactBlockFile(file);
    if (kind === 'index') return isSoundRecord(await readFile(file, 'utf8'));
    if (kind !== 'objects') return parseChecksummed(await readFile(file, 'utf8')) !== undefined;
    const hash = createHash('sha256');
    for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) hash.update(chunk);
    return hash.digest('hex') === path.split('/').slice(1).join('');
  } catch (error) {
    // Another process has removed it.
    if (isErrno(error, 'ENOENT')) return true;
    throw error;
  }
}
