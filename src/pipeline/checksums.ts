import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { isErrno } from '../support/file-system.ts';
import { withLock } from '../support/lock.ts';
import { type WrittenFile, writeAtomically } from '../support/write-atomically.ts';

export const CHECKSUMS_FILE = 'SHA256SUMS';
const LOCK_FILE = '.kubeparcel-lock';

/**
 * Adds packages to `SHA256SUMS` in their directory (format of sha256sum(1)) and removes lines of packages that no longer
 * exist. Safe for concurrent processes.
 *
 * @param temporaryDirectory directory for the unfinished file, on the same file system
 */
export async function updateChecksums(
  directory: string,
  written: readonly WrittenFile[],
  temporaryDirectory: string,
): Promise<void> {
  await rewrite(directory, temporaryDirectory, async (lines) => {
    const present = new Set(await readdir(directory));
    return [
      ...lines.filter(([name]) => present.has(name)),
      ...written.map(({ path, sha256 }): Line => [basename(path), sha256]),
    ];
  });
}

/**
 * Updates the lines of changed packages in `SHA256SUMS`. Does not add packages, and does not create the file.
 *
 * @param sums new SHA-256 by file name
 */
export async function correctChecksums(directory: string, sums: ReadonlyMap<string, string>): Promise<void> {
  if (!(await readdir(directory)).includes(CHECKSUMS_FILE)) return;
  await rewrite(directory, directory, async (lines) =>
    lines.some(([name]) => sums.has(name)) ? lines.map(([name, sum]) => [name, sums.get(name) ?? sum]) : undefined,
  );
}

type Line = [name: string, sha256: string];

/**
 * Rewrites the file with the changed lines, sorted by name, unless nothing changes.
 *
 * @param change returns undefined to change nothing; a later line replaces an earlier one of the same name
 */
async function rewrite(
  directory: string,
  temporaryDirectory: string,
  change: (lines: readonly Line[]) => Promise<Line[] | undefined>,
): Promise<void> {
  const path = join(directory, CHECKSUMS_FILE);
  await withLock(join(directory, LOCK_FILE), CHECKSUMS_FILE, async () => {
    const before = await readFile(path, 'utf8').catch((error: unknown) => {
      if (isErrno(error, 'ENOENT')) return undefined;
      throw error;
    });
    const lines = await change(parseChecksums(before ?? ''));
    if (lines === undefined) return;
    const sorted = [...new Map(lines)].sort(([a], [b]) => (a < b ? -1 : 1));
    const text = sorted.map(([name, sum]) => `${sum}  ${name}\n`).join('');
    if (text !== before) await writeAtomically(path, [Buffer.from(text)], { temporaryDirectory });
  });
}

function parseChecksums(text: string): Line[] {
  return text.split('\n').flatMap((line) => {
    const [, sha256, name] = /^([0-9a-f]{64}) {2}([^/]+)$/.exec(line) ?? [];
    return sha256 === undefined || name === undefined ? [] : [[name, sha256]];
  });
}
