import { join } from 'node:path';
import { KubeparcelError } from '../../support/errors.ts';
import { poolPath, type RepositoryPackage, type RepositorySettings } from '../model/repository.ts';
import { digestPackage, readRecord } from '../records/read-record.ts';
import { RecordCache } from '../records/record-cache.ts';
import type { ChangeResult } from '../transaction/commit.ts';
import { type WriteOptions, writeRepository } from '../transaction/session.ts';

export interface IndexOptions extends WriteOptions {
  readonly settings?: Partial<RepositorySettings> | undefined;
  /** Write all views again, with a new date and new signatures. */
  readonly all?: boolean | undefined;
  /** Read all packages again; implies `all`. */
  readonly reread?: boolean | undefined;
}

/**
 * Writes the indices that are out of date, or all.
 *
 * @throws KubeparcelError of kind 'verification' for a changed package, if `reread` is set
 */
export async function indexRepository(directory: string, options: IndexOptions): Promise<ChangeResult> {
  return writeRepository(directory, options, async ({ before, commit }) => {
    if (options.reread === true) await reread(directory, before.packages, options);
    const settings = { ...before.settings, ...options.settings };
    return commit({ packages: before.packages, settings, all: options.all === true || options.reread === true });
  });
}

async function reread(
  directory: string,
  packages: readonly RepositoryPackage[],
  { signal }: { readonly signal?: AbortSignal | undefined },
): Promise<void> {
  const cache = new RecordCache(directory);
  for (const each of packages) {
    const path = join(directory, poolPath(each));
    const digests = await digestPackage(path, signal);
    if (digests.sha256 !== each.sha256) {
      throw new KubeparcelError('verification', 'the package has changed since it was added', {
        where: path,
        hint: 'remove it and add the original again',
      });
    }
    cache.put(await readRecord(path, digests, { signal }));
  }
}
