import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { withLock } from '../support/lock.ts';
import { type WrittenFile, writeAtomically } from '../support/write-atomically.ts';

export const CHECKSUMS_FILE = 'SHA256SUMS';
const LOCK_FILE = '.kubeparcel-lock';

/**
 * Brings `SHA256SUMS` beside the packages up to date (sha256sum(1) reads it): lines of packages of earlier runs that
 * are still there stay. Several processes may do so at a time.
 *
 * @param temporaryFolder where the unfinished file is, on the same file system
 */
export async function updateChecksums(
  folder: string,
  written: readonly WrittenFile[],
  temporaryFolder: string,
): Promise<void> {
  await withLock(join(folder, LOCK_FILE), CHECKSUMS_FILE, () => update(folder, written, temporaryFolder));
}

/**
 * Corrects the lines of packages that became others, in a `SHA256SUMS` that lists them; others stay unlisted.
 *
 * @param sums new SHA-256 by file name
 */
export async function correctChecksums(folder: string, sums: ReadonlyMap<string, string>): Promise<void> {
  if (!(await readdir(folder)).includes(CHECKSUMS_FILE)) return;
  await withLock(join(folder, LOCK_FILE), CHECKSUMS_FILE, async () => {
    const path = join(folder, CHECKSUMS_FILE);
    const before = await readFile(path, 'utf8');
    const old = parseChecksums(before);
    if (!old.some(([name]) => sums.has(name))) return;
    await writeChecksums(folder, new Map(old.map(([name, sum]) => [name, sums.get(name) ?? sum])), folder, before);
  });
}

async function update(folder: string, written: readonly WrittenFile[], temporaryFolder: string): Promise<void> {
  const path = join(folder, CHECKSUMS_FILE);
  const present = new Set(await readdir(folder));
  const before = present.has(CHECKSUMS_FILE) ? await readFile(path, 'utf8') : undefined;
  const sums = new Map(parseChecksums(before ?? '').filter(([name]) => present.has(name)));
  for (const file of written) {
    sums.set(basename(file.path), file.sha256);
  }
  await writeChecksums(folder, sums, temporaryFolder, before);
}

/** @param before what stands there, if anything; the same is not written again */
async function writeChecksums(
  folder: string,
  sums: ReadonlyMap<string, string>,
  temporaryFolder: string,
  before: string | undefined,
): Promise<void> {
  const names = [...sums.keys()].sort((a, b) => (a < b ? -1 : 1));
  const text = names.map((name) => `${sums.get(name)}  ${name}\n`).join('');
  if (text === before) return;
  await writeAtomically(join(folder, CHECKSUMS_FILE), [Buffer.from(text)], { temporaryFolder });
}

function parseChecksums(text: string): [name: string, sha256: string][] {
  return text.split('\n').flatMap((line) => {
    const [, sha256, name] = /^([0-9a-f]{64}) {2}([^/]+)$/.exec(line) ?? [];
    return sha256 === undefined || name === undefined ? [] : [[name, sha256] as [string, string]];
  });
}
