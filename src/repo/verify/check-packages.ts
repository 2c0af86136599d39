import pLimit from 'p-limit';
import { KubeparcelError } from '../../support/errors.ts';
import type { RepositoryReader } from '../read/reader.ts';
import type { VerifyFinding } from './finding.ts';
import type { IndexedFile } from './view-check.ts';

/** Files read concurrently. */
export const CONCURRENCY = 4;

export interface PackageCheckOptions {
  /** Compare sizes instead of digests. */
  readonly quick?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Reports checked and total bytes. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** Checks the size and digest of packages. */
export async function checkPackages(
  reader: RepositoryReader,
  packages: readonly IndexedFile[],
  { quick = false, signal, onProgress }: PackageCheckOptions = {},
): Promise<VerifyFinding[]> {
  const limit = pLimit(CONCURRENCY);
  const total = packages.reduce((sum, { size }) => sum + size, 0);
  let done = 0;
  const checkOne = async ({ path, size, sha256 }: IndexedFile): Promise<VerifyFinding[]> => {
    signal?.throwIfAborted();
    try {
      const facts = await reader.examine(path, size, quick);
      if (facts === undefined) return [{ kind: 'missing', path, what: 'the package does not exist' }];
      if (facts.size !== size) return [{ kind: 'changed', path, what: 'the package has another size' }];
      if (quick || facts.sha256 === sha256) return [];
      return [{ kind: 'changed', path, what: 'the package has another digest' }];
    } catch (error) {
      if (!(error instanceof KubeparcelError) || error.kind !== 'format') throw error;
      return [{ kind: 'changed', path, what: `invalid package: ${error.message}` }];
    } finally {
      done += size;
      onProgress?.(done, total);
    }
  };
  try {
    return (await Promise.all(packages.map((each) => limit(() => checkOne(each))))).flat();
  } finally {
    // After a failure, do not start the remaining checks.
    limit.clearQueue();
  }
}
