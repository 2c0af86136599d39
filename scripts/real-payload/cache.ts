import { readdir, rm, stat, statfs } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { KubeparcelError } from '../../src/support/errors.ts';
import { type PayloadVersions, readSealedDirectory } from './directory.ts';
import { type Say, timed } from './run.ts';

/** What killed runs leave behind is recognised by this. */
export const WORK_PREFIX = '.work-';

const STALE_AFTER_MS = 6 * 3600 * 1000;

export interface Found {
  readonly directory: string;
  readonly versions: PayloadVersions;
}

/** Where results are kept; it may not exist yet. */
export function cacheDirectory(): string {
  const configured = process.env.XDG_CACHE_HOME;
  // XDG base directory specification: a relative path is to be ignored.
  const base = configured !== undefined && isAbsolute(configured) ? configured : join(homedir(), '.cache');
  return join(base, 'kubeparcel', 'real-payload');
}

/** Bytes that a work directory takes at most, and some. */
const DISK_NEEDED = 4.5e9;

/** @throws KubeparcelError of kind 'io' when there is too little room to compile in */
export async function checkDisk(directory: string): Promise<void> {
  const { bavail, bsize } = await statfs(directory);
  if (bavail * bsize < DISK_NEEDED) {
    throw new KubeparcelError('io', `Compiling Kubernetes takes ${DISK_NEEDED / 1e9} GB of disk for some minutes`, {
      where: directory,
      hint: 'Make room, or set XDG_CACHE_HOME to a directory on a larger disk.',
    });
  }
}

/** Removes what runs that were killed left behind. */
export async function removeStale(cache: string): Promise<void> {
  for (const name of await readdir(cache)) {
    if (!name.startsWith(WORK_PREFIX)) {
      continue;
    }
    const path = join(cache, name);
    // Its owner may remove it meanwhile.
    const status = await stat(path).catch(() => undefined);
    if (status !== undefined && Date.now() - status.mtimeMs > STALE_AFTER_MS) {
      await rm(path, { recursive: true, force: true });
    }
  }
}

/** A whole result of this recipe: one with crictl before one without. A damaged one is removed. */
export async function findCached(cache: string, recipe: string, say: Say): Promise<Found | undefined> {
  let incomplete: Found | undefined;
  for (const name of (await readdir(cache)).filter((entry) => entry.startsWith(`${recipe}-`)).sort()) {
    const directory = join(cache, name);
    const versions = await timed(say, 'checking the digests of what the cache holds', () =>
      readSealedDirectory(directory),
    );
    if (versions === undefined) {
      say(`WARNING: ${directory} is damaged and is made again`);
      await rm(directory, { recursive: true, force: true });
    } else if (versions.criTools !== undefined) {
      return { directory, versions };
    } else {
      incomplete = { directory, versions };
    }
  }
  return incomplete;
}
