import { createHash } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { mkdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Compression } from '../model/compression.ts';
import { contentSha256 } from '../model/content.ts';
import type { Layout } from '../model/layout.ts';
import { formatChecksummed, parseChecksummed } from '../support/checksummed-lines.ts';
import { isErrno } from '../support/file-system.ts';
import { type WrittenFile, writeAtomically } from '../support/write-atomically.ts';

/**
 * Records of written packages, so that a build does not write the same package again. Like git's index, it assumes that a
 * file whose size, times and inode are the same has not changed.
 */
export class BuildCache {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** @returns the package at this path if it was written with this key and has not changed since */
  async find(path: string, key: string): Promise<WrittenFile | undefined> {
    try {
      const [recordedKey, sha256 = '', identity] = parseChecksummed(await readFile(this.#recordOf(path), 'utf8')) ?? [];
      if (recordedKey !== key || identity !== (await identityWithChangeTime(path))) return undefined;
      return { path, sha256, size: (await stat(path)).size };
    } catch (error) {
      if (['ENOENT', 'ENOTDIR', 'EISDIR', 'ELOOP'].some((code) => isErrno(error, code))) return undefined;
      throw error;
    }
  }

  /**
   * Records a package that was just written. Does nothing if the cache cannot be written.
   *
   * @param identity `fileIdentity` of the package before it was renamed into place; another process may have replaced it since
   */
  async remember({ path, sha256 }: WrittenFile, key: string, identity: string | undefined): Promise<void> {
    try {
      const current = await identityWithChangeTime(path);
      if (identity === undefined || !current.startsWith(`${identity} `)) return;
      const record = this.#recordOf(path);
      await mkdir(dirname(record), { recursive: true });
      await writeAtomically(record, [formatChecksummed([key, sha256, current])], { sync: false });
    } catch (error) {
      if (!(error instanceof Error && 'syscall' in error)) throw error;
    }
  }

  #recordOf(path: string): string {
    const name = createHash('sha256').update(resolve(path)).digest('hex');
    return join(this.#directory, 'built', name.slice(0, 2), name.slice(2));
  }
}

/** @returns SHA-256, in hex, over everything that the bytes of a package depend on */
export function packageKey(layout: Layout, compression: Compression): string {
  const contentsAsDigests = (_: string, value: unknown) =>
    isContent(value) ? { sha256: contentSha256(value) } : value;
  return createHash('sha256')
    .update(JSON.stringify([programIdentity(), process.version, compression, layout], contentsAsDigests))
    .digest('hex');
}

let cachedIdentity: string | undefined;

/**
 * Identifies kubeparcel's own code by size and time of every file, so that any change to it rebuilds the packages. In
 * the bundle, this module is in the root of the code; otherwise it is in pipeline/.
 */
function programIdentity(): string {
  if (cachedIdentity === undefined) {
    const here = dirname(fileURLToPath(import.meta.url));
    const directory = basename(here) === 'pipeline' ? dirname(here) : here;
    const files = readdirSync(directory, { recursive: true, encoding: 'utf8' }).sort();
    cachedIdentity = files
      .map((file) => {
        const { size, mtimeMs } = statSync(join(directory, file));
        return `${file} ${size} ${mtimeMs}`;
      })
      .join('\n');
  }
  return cachedIdentity;
}

function isContent(value: unknown): value is Parameters<typeof contentSha256>[0] {
  return (
    typeof value === 'object' &&
    value !== null &&
    'kind' in value &&
    (value.kind === 'memory' || value.kind === 'stored')
  );
}

/** Identifies a file independently of its name; changes when the file is replaced or written to. */
export async function fileIdentity(path: string): Promise<string> {
  const { dev, ino, size, mtimeNs } = await stat(path, { bigint: true });
  return [dev, ino, size, mtimeNs].join(' ');
}

/** Also changes when the file is renamed or its metadata changes. */
async function identityWithChangeTime(path: string): Promise<string> {
  const { ctimeNs } = await stat(path, { bigint: true });
  return `${await fileIdentity(path)} ${ctimeNs}`;
}
