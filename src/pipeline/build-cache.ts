import { createHash } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { mkdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Compression } from '../model/compression.ts';
import { contentSha256 } from '../model/content.ts';
import type { Layout } from '../model/layout.ts';
import { isErrno } from '../support/file-system.ts';
import { formatSummed, parseSummed } from '../support/summed-lines.ts';
import { type WrittenFile, writeAtomically } from '../support/write-atomically.ts';

/**
 * What is known of packages that earlier builds wrote, so that one that would become the same again is left as it is. Like
 * git's index it believes a file whose size, times and inode are as they were when it was written.
 */
export interface BuiltBefore {
  /** The package at this path, if it was made of just this and nobody has touched it since. */
  find(path: string, key: string): Promise<WrittenFile | undefined>;
  /**
   * Remembers a package that was just written; what cannot be remembered is written again next time.
   *
   * @param left what `fileIdentity` said of it before it got its name: somebody may have put another in its place since
   */
  remember(file: WrittenFile, key: string, left: string | undefined): Promise<void>;
}

/** 64 hex digits that change with everything that a package's bytes depend on. */
export function packageKey(layout: Layout, compression: Compression): string {
  const small = (_: string, value: unknown) => (isContent(value) ? { sha256: contentSha256(value) } : value);
  return createHash('sha256')
    .update(JSON.stringify([programIdentity(), process.version, compression, layout], small))
    .digest('hex');
}

let knownIdentity: string | undefined;

/**
 * Changes with every file of kubeparcel's own code: another version, or a developer's change, builds anew. The bundled
 * command is a directory of its own; not bundled, this module is in one of several directories.
 */
function programIdentity(): string {
  if (knownIdentity === undefined) {
    const here = dirname(fileURLToPath(import.meta.url));
    const directory = basename(here) === 'pipeline' ? dirname(here) : here;
    const files = readdirSync(directory, { recursive: true, encoding: 'utf8' }).sort();
    knownIdentity = files
      .map((file) => {
        const { size, mtimeMs } = statSync(join(directory, file));
        return `${file} ${size} ${mtimeMs}`;
      })
      .join('\n');
  }
  return knownIdentity;
}

function isContent(value: unknown): value is Parameters<typeof contentSha256>[0] {
  return (
    typeof value === 'object' &&
    value !== null &&
    'kind' in value &&
    (value.kind === 'memory' || value.kind === 'stored')
  );
}

/** @param directory of the cache */
export function openBuiltBefore(directory: string): BuiltBefore {
  const recordOf = (path: string) => {
    const name = createHash('sha256').update(resolve(path)).digest('hex');
    return join(directory, 'built', name.slice(0, 2), name.slice(2));
  };
  return {
    async find(path, key) {
      try {
        const [knownKey, sha256 = '', identity] = parseSummed(await readFile(recordOf(path), 'utf8')) ?? [];
        if (knownKey !== key || identity !== (await timedIdentity(path))) return undefined;
        return { path, sha256, size: (await stat(path)).size };
      } catch (error) {
        if (['ENOENT', 'ENOTDIR', 'EISDIR', 'ELOOP'].some((code) => isErrno(error, code))) return undefined;
        throw error;
      }
    },
    async remember({ path, sha256 }, key, left) {
      try {
        const identity = await timedIdentity(path);
        if (left === undefined || !identity.startsWith(`${left} `)) return;
        const record = recordOf(path);
        await mkdir(dirname(record), { recursive: true });
        await writeAtomically(record, [formatSummed([key, sha256, identity])], { sync: false });
      } catch (error) {
        // A cache that is full or read-only costs time, and no package.
        if (!(error instanceof Error && 'syscall' in error)) throw error;
      }
    },
  };
}

/** Which file this is, whatever its name; another one, or one that was written to since, has another identity. */
export async function fileIdentity(path: string): Promise<string> {
  const { dev, ino, size, mtimeNs } = await stat(path, { bigint: true });
  return [dev, ino, size, mtimeNs].join(' ');
}

/** The same with the time when it was renamed or otherwise touched. */
async function timedIdentity(path: string): Promise<string> {
  const { ctimeNs } = await stat(path, { bigint: true });
  return `${await fileIdentity(path)} ${ctimeNs}`;
}
