import { createHash } from 'node:crypto';
import { createReadStream, type Dirent, readdirSync, statSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { isErrno } from '../support/file-system.ts';
import { isSoundPacked } from './blocks-file.ts';
import { MAKING } from './packed-store.ts';

/** What the cache holds: artifacts and their files by digest, compressed blocks, facts, records of packages written. */
export const CACHE_KINDS = ['objects', 'blocks', 'facts', 'built'] as const;
export type CacheKind = (typeof CACHE_KINDS)[number];

export interface CachedFile {
  readonly kind: CacheKind;
  /** Relative to the cache's folder. */
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

/** All files of the cache, sorted by path; other folders in it (partial downloads, runners) are left out. */
export function listCache(folder: string): CachedFile[] {
  return [
    ...filesIn(folder, 'objects', () => 'objects'),
    ...packedFiles(folder),
    ...filesIn(folder, 'built', () => 'built'),
  ];
}

function packedFiles(folder: string): CachedFile[] {
  return filesIn(folder, 'packed', (path) => (path.split('/')[2] === 'facts' ? 'facts' : 'blocks'));
}

/** Node's threads would take ten times as long for so many small questions, and every build asks them. */
function filesIn(folder: string, room: string, kindOf: (path: string) => CacheKind): CachedFile[] {
  let entries: Dirent[];
  try {
    entries = readdirSync(join(folder, room), { recursive: true, withFileTypes: true });
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
      const shown = relative(folder, path);
      const kind = kindOf(shown);
      const used = Math.floor((kind === 'objects' ? atimeMs : mtimeMs) / 1000);
      found.push({ kind, path: shown, size, used, current: room !== 'packed' || shown.split('/')[1] === MAKING });
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
  let left = blocks.reduce((sum, { size, current }) => sum + (current ? size : 0), 0);
  for (const file of blocks.filter(({ current }) => current).sort((a, b) => a.used - b.used)) {
    if (left <= maxBytes) break;
    gone.push(file);
    left -= file.size;
  }
  return gone;
}

/** Keeps the compressed blocks within their usual bounds. */
export async function boundBlocks(folder: string): Promise<void> {
  await removeCached(folder, choosePruned(packedFiles(folder), USUAL_BLOCKS));
}

export async function removeCached(folder: string, files: readonly CachedFile[]): Promise<void> {
  for (const { path } of files) await rm(join(folder, path), { force: true });
}

/** Whether a file of the cache is what its name or its own sum says. Facts and records are checked where they are read. */
export async function isSoundCached(folder: string, { kind, path }: CachedFile): Promise<boolean> {
  if (kind === 'blocks') return isSoundPacked(join(folder, path));
  if (kind !== 'objects') return true;
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(join(folder, path), { highWaterMark: 1 << 20 })) hash.update(chunk);
  return hash.digest('hex') === path.split('/').slice(1).join('');
}
