import { join } from 'node:path';
import { KubeparcelError } from '../../support/errors.ts';
import { poolPath, type RepositoryPackage, type RepositorySettings } from '../model/repository.ts';
import { digestPackage, readRecord } from '../records/read-record.ts';
import { RecordCache } from '../records/record-cache.ts';
import type { ChangeResult } from '../transaction/commit.ts';
import { type WriteOptions, writeRepository } from '../transaction/session.ts';

export interface IndexOptions extends WriteOptions {
  readonly settings?: Partial<RepositorySettings>;
  /** With a new date and signature, also what does not change. */
  readonly all?: boolean;
  /** Read every package again. */
  readonly reread?: boolean;
}

/**
 * Writes the indices that are not as they would be written now, or all.
 *
 * @throws KubeparcelError of kind 'verification' for a package that was changed, when they are read again
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
      throw new KubeparcelError('verification', 'the package is not the one that was added', {
        where: path,
        hint: 'remove it, and add it again from where it was built',
      });
    }
    cache.put(await readRecord(path, digests, { signal }));
  }
}
