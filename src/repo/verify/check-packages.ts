import pLimit from 'p-limit';
import { KubeparcelError } from '../../support/errors.ts';
import type { RepositoryReader } from '../read/reader.ts';
import type { VerifyFinding } from './finding.ts';
import type { IndexedFile } from './view-check.ts';

/** Files that are read at once. */
export const READ_AT_ONCE = 4;

export interface PackageCheckOptions {
  /** Compare sizes in place of digests. */
  readonly quick?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Bytes that are checked so far, of those that there are. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** Whether packages are what is said of them. */
export async function checkPackages(
  reader: RepositoryReader,
  packages: readonly IndexedFile[],
  { quick = false, signal, onProgress }: PackageCheckOptions = {},
): Promise<VerifyFinding[]> {
  const limit = pLimit(READ_AT_ONCE);
  const total = packages.reduce((sum, { size }) => sum + size, 0);
  let done = 0;
  const checkOne = async ({ path, size, sha256 }: IndexedFile): Promise<VerifyFinding[]> => {
    signal?.throwIfAborted();
    try {
      const facts = await reader.examine(path, size, quick);
      if (facts === undefined) return [{ kind: 'missing', path, what: 'the package is not there' }];
      if (facts.size !== size) return [{ kind: 'changed', path, what: 'the package has another size' }];
      if (quick || facts.sha256 === sha256) return [];
      return [{ kind: 'changed', path, what: 'the package has another digest' }];
    } catch (error) {
      if (!(error instanceof KubeparcelError) || error.kind !== 'format') throw error;
      return [{ kind: 'changed', path, what: `the package: ${error.message}` }];
    } finally {
      done += size;
      onProgress?.(done, total);
    }
  };
  try {
    return (await Promise.all(packages.map((each) => limit(() => checkOne(each))))).flat();
  } finally {
    // After a failure nobody waits for the others.
    limit.clearQueue();
  }
}
