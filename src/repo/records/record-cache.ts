import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ownedSuffix } from '../../support/ownership.ts';
import { type PackageRecord, RECORD_SCHEMA } from '../model/record.ts';
import { poolPath, type RepositoryPackage, STATE_DIRECTORY } from '../model/repository.ts';
import { digestPackage } from './digest-package.ts';
import { readRecord } from './read-record.ts';

/** What packages say, by digest, so that none is read twice. */
export interface RecordCache {
  /** Undefined when it is not known, or what is known is of another version of kubeparcel. */
  get(sha256: string): PackageRecord | undefined;
  put(record: PackageRecord): void;
}

export function openCache(directory: string): RecordCache {
  const file = (sha256: string) => join(directory, STATE_DIRECTORY, 'cache', sha256.slice(0, 2), `${sha256}.json`);
  return {
    get(sha256) {
      try {
        // Thousands of small files: one after the other is the quickest.
        const record = JSON.parse(readFileSync(file(sha256), 'utf8')) as PackageRecord;
        return record.schema === RECORD_SCHEMA && record.sha256 === sha256 ? record : undefined;
      } catch {
        // Not there, or cut short by a power failure: the package is read again.
        return undefined;
      }
    },
    put(record) {
      const path = file(record.sha256);
      const unfinished = `${path}${ownedSuffix()}`;
      mkdirSync(dirname(path), { recursive: true });
      try {
        writeFileSync(unfinished, JSON.stringify(record));
        renameSync(unfinished, path);
      } catch (error) {
        rmSync(unfinished, { force: true });
        throw error;
      }
    },
  };
}

/** The records of packages; those that the cache does not have are read from the pool. */
export async function recordsOf(
  directory: string,
  packages: readonly RepositoryPackage[],
  options: { readonly signal?: AbortSignal } = {},
): Promise<Map<string, PackageRecord>> {
  const cache = openCache(directory);
  const records = new Map<string, PackageRecord>();
  for (const each of packages) {
    let record = cache.get(each.sha256);
    if (record === undefined) {
      const path = join(directory, poolPath(each));
      record = await readRecord(path, await digestPackage(path, options.signal), options);
      if (record.sha256 === each.sha256) cache.put(record);
    }
    records.set(each.sha256, record);
  }
  return records;
}

/** Removes what the cache has of packages that are gone. */
export async function sweepCache(directory: string, kept: ReadonlySet<string>): Promise<void> {
  const root = join(directory, STATE_DIRECTORY, 'cache');
  for (const name of await readdir(root, { recursive: true }).catch(() => [])) {
    const [, sha256] = /\/([0-9a-f]{64})\.json/.exec(name) ?? [];
    if (sha256 !== undefined && (!kept.has(sha256) || !name.endsWith('.json'))) {
      await rm(join(root, name), { force: true });
    }
  }
}
