import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, readFile, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { defaultStoreDirectory } from '../../src/payload/store/content-store.ts';
import { KubeparcelError } from '../../src/support/errors.ts';
import { type Say, timed } from '../run.ts';

export interface PayloadVersions {
  /** 1.20.2 */
  readonly kubernetes: string;
  readonly cniPlugins: string;
  /** Undefined: crictl is missing, because the Go module proxy was not reachable. */
  readonly criTools: string | undefined;
}

/** Prefix of temporary directories in the cache. */
export const WORK_PREFIX = '.work-';

/** Milliseconds. */
const STALE_AFTER = 6 * 3600 * 1000;

export interface Found {
  readonly directory: string;
  readonly versions: PayloadVersions;
}

/** The directory of results; it may not exist. */
export function cacheDirectory(): string {
  return join(defaultStoreDirectory(), 'real-payload');
}

/** Bytes; more than the maximum size of a work directory. */
const DISK_NEEDED = 4.5e9;

/** @throws KubeparcelError of kind 'io' if there is not enough space to compile */
export async function checkDisk(directory: string): Promise<void> {
  const { bavail, bsize } = await statfs(directory);
  if (bavail * bsize < DISK_NEEDED) {
    throw new KubeparcelError('io', `compiling Kubernetes needs ${DISK_NEEDED / 1e9} GB of temporary disk space`, {
      where: directory,
      hint: 'free some space, or set XDG_CACHE_HOME to a directory on a larger disk',
    });
  }
}

/** Removes temporary directories of killed runs. */
export async function removeStale(cache: string): Promise<void> {
  for (const name of await readdir(cache)) {
    if (!name.startsWith(WORK_PREFIX)) {
      continue;
    }
    const path = join(cache, name);
    // Another process may remove it at the same time.
    const status = await stat(path).catch(() => undefined);
    if (status !== undefined && Date.now() - status.mtimeMs > STALE_AFTER) {
      await rm(path, { recursive: true, force: true });
    }
  }
}

/** Finds a complete result of the recipe; prefers one with crictl. Removes damaged results. */
export async function findCached(cache: string, recipe: string, say: Say): Promise<Found | undefined> {
  let incomplete: Found | undefined;
  for (const name of (await readdir(cache)).filter((entry) => entry.startsWith(`${recipe}-`)).sort()) {
    const directory = join(cache, name);
    const versions = await timed(say, 'checking the digests of the cache', () => readSealedDirectory(directory));
    if (versions === undefined) {
      say(`WARNING: ${directory} is damaged; building it again`);
      await rm(directory, { recursive: true, force: true });
    } else if (versions.criTools !== undefined) {
      return { directory, versions };
    } else {
      incomplete = { directory, versions };
    }
  }
  return incomplete;
}

const releaseSchema = z.object({
  kubernetes: z.string(),
  cniPlugins: z.string(),
  criTools: z.string().optional(),
  date: z.string(),
});

/**
 * Writes release.yaml (versions, and the sources as comments) and SHA256SUMS (format of sha256sum(1), sorted by path) for
 * the files in the directory.
 */
export async function sealDirectory(
  directory: string,
  versions: PayloadVersions,
  date: string,
  sources: readonly string[],
): Promise<void> {
  const { kubernetes, cniPlugins, criTools } = versions;
  const missing = criTools === undefined ? ['# crictl IS MISSING: the Go module proxy was not reachable.'] : [];
  const comments = [...sources.map((line) => `# ${line}`), ...missing];
  const release = { kubernetes, cniPlugins, ...(criTools === undefined ? {} : { criTools }), date };
  const sums = await sumsOf(directory);
  await writeFile(join(directory, 'SHA256SUMS'), sums);
  await writeFile(join(directory, 'release.yaml'), `${comments.join('\n')}\n${stringify(release)}`);
}

/** @returns the versions of a sealed directory; undefined if it is incomplete or does not match its SHA256SUMS */
export async function readSealedDirectory(directory: string): Promise<PayloadVersions | undefined> {
  try {
    const release = releaseSchema.parse(parse(await readFile(join(directory, 'release.yaml'), 'utf8')));
    const stated = await readFile(join(directory, 'SHA256SUMS'), 'utf8');
    if (stated !== (await sumsOf(directory))) {
      return undefined;
    }
    const { kubernetes, cniPlugins, criTools } = release;
    return { kubernetes, cniPlugins, criTools };
  } catch {
    return undefined;
  }
}

/** @returns the sources in the comments of release.yaml */
export async function readSources(directory: string): Promise<string[]> {
  const text = await readFile(join(directory, 'release.yaml'), 'utf8');
  return text
    .split('\n')
    .flatMap((line) => (line.startsWith('# ') && !line.includes(' MISSING') ? [line.slice(2)] : []));
}

/** SHA-256 of the files in subdirectories, in the format of sha256sum(1), sorted by path. */
export async function sumsOf(directory: string): Promise<string> {
  const lines: string[] = [];
  for (const path of (await filesUnder(directory, '')).sort()) {
    if (path.includes('/')) {
      const hash = createHash('sha256');
      await pipeline(createReadStream(join(directory, path)), hash);
      lines.push(`${hash.digest('hex')}  ${path}\n`);
    }
  }
  return lines.join('');
}

async function filesUnder(directory: string, path: string): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await readdir(join(directory, path), { withFileTypes: true })) {
    const inner = posix.join(path, entry.name);
    if (entry.isDirectory()) {
      found.push(...(await filesUnder(directory, inner)));
    } else if (entry.isFile()) {
      found.push(inner);
    }
  }
  return found;
}
