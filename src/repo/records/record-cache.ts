import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ownedSuffix } from '../../support/ownership.ts';
import { type PackageRecord, RECORD_SCHEMA } from '../model/record.ts';
import { poolPath, type RepositoryPackage, STATE_DIRECTORY } from '../model/repository.ts';
import { digestPackage, readRecord } from './read-record.ts';

/** The package records of a repository by digest, so that no package is read twice. */
export class RecordCache {
  readonly #repository: string;
  readonly #root: string;

  constructor(repository: string) {
    this.#repository = repository;
    this.#root = join(repository, STATE_DIRECTORY, 'cache');
  }

  /** Returns undefined if there is no record, or one of another version of kubeparcel. */
  get(sha256: string): PackageRecord | undefined {
    try {
      // Synchronous, since that is fastest for thousands of small files.
      const record = JSON.parse(readFileSync(this.#file(sha256), 'utf8')) as PackageRecord;
      return record.schema === RECORD_SCHEMA && record.sha256 === sha256 ? record : undefined;
    } catch {
      // The file does not exist, or is truncated after a power failure.
      return undefined;
    }
  }

  put(record: PackageRecord): void {
    const path = this.#file(record.sha256);
    const temporary = `${path}${ownedSuffix()}`;
    mkdirSync(dirname(path), { recursive: true });
    try {
      writeFileSync(temporary, JSON.stringify(record));
      renameSync(temporary, path);
    } catch (error) {
      rmSync(temporary, { force: true });
      throw error;
    }
  }

  /** The records of packages by digest. Packages that are not in the cache are read from the pool. */
  async recordsOf(
    packages: readonly RepositoryPackage[],
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<Map<string, PackageRecord>> {
    const records = new Map<string, PackageRecord>();
    for (const each of packages) {
      let record = this.get(each.sha256);
      if (record === undefined) {
        const path = join(this.#repository, poolPath(each));
        record = await readRecord(path, await digestPackage(path, options.signal), options);
        if (record.sha256 === each.sha256) this.put(record);
      }
      records.set(each.sha256, record);
    }
    return records;
  }

  /** Removes the records of all packages except these, and temporary files. */
  async sweep(keep: ReadonlySet<string>): Promise<void> {
    for (const name of await readdir(this.#root, { recursive: true }).catch(() => [])) {
      const [, sha256] = /\/([0-9a-f]{64})\.json/.exec(name) ?? [];
      if (sha256 !== undefined && (!keep.has(sha256) || !name.endsWith('.json'))) {
        await rm(join(this.#root, name), { force: true });
      }
    }
  }

  #file(sha256: string): string {
    return join(this.#root, sha256.slice(0, 2), `${sha256}.json`);
  }
}
