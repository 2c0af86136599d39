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
 * path) for the files under the directory.
 */
export async function sealDirectory(
  directory: string,
  versions: PayloadVersions,
  date: string,
  madeFrom: readonly string[],
): Promise<void> {
  const { kubernetes, cniPlugins, criTools } = versions;
  const left =
    criTools === undefined ? ['# crictl IS MISSING: Go modules could not be reached when this was made.'] : [];
  const comments = [...madeFrom.map((line) => `# ${line}`), ...left];
  const release = { kubernetes, cniPlugins, ...(criTools === undefined ? {} : { criTools }), date };
  const sums = await sumsOf(directory);
  await writeFile(join(directory, 'SHA256SUMS'), sums);
  await writeFile(join(directory, 'release.yaml'), `${comments.join('\n')}\n${stringify(release)}`);
}

/** The versions that a sealed directory states, or undefined when it is not whole or not what its SHA256SUMS says. */
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

/** What release.yaml says in comments about where the files came from. */
export async function readMadeFrom(directory: string): Promise<string[]> {
  const text = await readFile(join(directory, 'release.yaml'), 'utf8');
  return text
    .split('\n')
    .flatMap((line) => (line.startsWith('# ') && !line.includes(' MISSING') ? [line.slice(2)] : []));
}

/** SHA-256 of the files in the directory's directories, as sha256sum writes it, sorted by path. */
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
