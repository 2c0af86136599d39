import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { withLock } from '../support/lock.ts';
import { type WrittenFile, writeAtomically } from '../support/write-atomically.ts';

export const CHECKSUMS_FILE = 'SHA256SUMS';
const LOCK_FILE = '.kubeparcel-lock';

/**
 * Adds packages to `SHA256SUMS` in their directory (format of sha256sum(1)) and removes lines of packages that no longer
 * exist. Several processes may do so at the same time.
 *
 * @param temporaryDirectory directory for the unfinished file, on the same file system
 */
export async function updateChecksums(
  directory: string,
  written: readonly WrittenFile[],
  temporaryDirectory: string,
): Promise<void> {
  await withLock(join(directory, LOCK_FILE), CHECKSUMS_FILE, () => update(directory, written, temporaryDirectory));
}

/**
 * Updates the lines of changed packages in `SHA256SUMS`. Does not add packages, and does not create the file.
 *
 * @param sums new SHA-256 by file name
 */
export async function correctChecksums(directory: string, sums: ReadonlyMap<string, string>): Promise<void> {
  if (!(await readdir(directory)).includes(CHECKSUMS_FILE)) return;
  await withLock(join(directory, LOCK_FILE), CHECKSUMS_FILE, async () => {
    const path = join(directory, CHECKSUMS_FILE);
    const before = await readFile(path, 'utf8');
    const old = parseChecksums(before);
    if (!old.some(([name]) => sums.has(name))) return;
    await writeChecksums(
      directory,
      new Map(old.map(([name, sum]) => [name, sums.get(name) ?? sum])),
      directory,
      before,
    );
  });
}

async function update(directory: string, written: readonly WrittenFile[], temporaryDirectory: string): Promise<void> {
  const path = join(directory, CHECKSUMS_FILE);
  const present = new Set(await readdir(directory));
  const before = present.has(CHECKSUMS_FILE) ? await readFile(path, 'utf8') : undefined;
  const sums = new Map(parseChecksums(before ?? '').filter(([name]) => present.has(name)));
  for (const file of written) {
    sums.set(basename(file.path), file.sha256);
  }
  await writeChecksums(directory, sums, temporaryDirectory, before);
}

/** @param before current content of the file; it is not written again if it does not change */
async function writeChecksums(
  directory: string,
  sums: ReadonlyMap<string, string>,
  temporaryDirectory: string,
  before: string | undefined,
): Promise<void> {
  const names = [...sums.keys()].sort((a, b) => (a < b ? -1 : 1));
  const text = names.map((name) => `${sums.get(name)}  ${name}\n`).join('');
  if (text === before) return;
  await writeAtomically(join(directory, CHECKSUMS_FILE), [Buffer.from(text)], { temporaryDirectory });
}

function parseChecksums(text: string): [name: string, sha256: string][] {
  return text.split('\n').flatMap((line) => {
    const [, sha256, name] = /^([0-9a-f]{64}) {2}([^/]+)$/.exec(line) ?? [];
    return sha256 === undefined || name === undefined ? [] : [[name, sha256] as [string, string]];
  });
}
