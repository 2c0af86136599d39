import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { parse, stringify } from 'yaml';
import { z } from 'zod';

export interface PayloadVersions {
  /** 1.20.2 */
  readonly kubernetes: string;
  readonly cniPlugins: string;
  /** Undefined: Go modules could not be reached, crictl is left out. */
  readonly criTools: string | undefined;
}

const releaseSchema = z.object({
  kubernetes: z.string(),
  cniPlugins: z.string(),
  criTools: z.string().optional(),
  date: z.string(),
});

/**
 * Writes release.yaml (versions; what it was made from as comments) and SHA256SUMS (as sha256sum writes it, sorted by
 * path) for the files under the folder.
 */
export async function sealFolder(
  folder: string,
  versions: PayloadVersions,
  date: string,
  madeFrom: readonly string[],
): Promise<void> {
  const { kubernetes, cniPlugins, criTools } = versions;
  const left =
    criTools === undefined ? ['# crictl IS MISSING: Go modules could not be reached when this was made.'] : [];
  const comments = [...madeFrom.map((line) => `# ${line}`), ...left];
  const release = { kubernetes, cniPlugins, ...(criTools === undefined ? {} : { criTools }), date };
  const sums = await sumsOf(folder);
  await writeFile(join(folder, 'SHA256SUMS'), sums);
  await writeFile(join(folder, 'release.yaml'), `${comments.join('\n')}\n${stringify(release)}`);
}

/** The versions that a sealed folder states, or undefined when it is not whole or not what its SHA256SUMS says. */
export async function readSealedFolder(folder: string): Promise<PayloadVersions | undefined> {
  try {
    const release = releaseSchema.parse(parse(await readFile(join(folder, 'release.yaml'), 'utf8')));
    const stated = await readFile(join(folder, 'SHA256SUMS'), 'utf8');
    if (stated !== (await sumsOf(folder))) {
      return undefined;
    }
    const { kubernetes, cniPlugins, criTools } = release;
    return { kubernetes, cniPlugins, criTools };
  } catch {
    return undefined;
  }
}

/** What release.yaml says in comments about where the files came from. */
export async function readMadeFrom(folder: string): Promise<string[]> {
  const text = await readFile(join(folder, 'release.yaml'), 'utf8');
  return text
    .split('\n')
    .flatMap((line) => (line.startsWith('# ') && !line.includes(' MISSING') ? [line.slice(2)] : []));
}

/** SHA-256 of the files in the folder's folders, as sha256sum writes it, sorted by path. */
export async function sumsOf(folder: string): Promise<string> {
  const lines: string[] = [];
  for (const path of (await filesUnder(folder, '')).sort()) {
    if (path.includes('/')) {
      const hash = createHash('sha256');
      await pipeline(createReadStream(join(folder, path)), hash);
      lines.push(`${hash.digest('hex')}  ${path}\n`);
    }
  }
  return lines.join('');
}

async function filesUnder(folder: string, path: string): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await readdir(join(folder, path), { withFileTypes: true })) {
    const inner = posix.join(path, entry.name);
    if (entry.isDirectory()) {
      found.push(...(await filesUnder(folder, inner)));
    } else if (entry.isFile()) {
      found.push(inner);
    }
  }
  return found;
}
