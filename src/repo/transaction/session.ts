import { access, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { signatureDate } from '../../sign/signatures.ts';
import type { Signer } from '../../sign/signer.ts';
import { KubeparcelError } from '../../support/errors.ts';
import { isErrno } from '../../support/file-system.ts';
import { withLock } from '../../support/lock.ts';
import { ownedSuffix } from '../../support/ownership.ts';
import { sourceDateEpoch } from '../../support/source-date-epoch.ts';
import {
  lockPath,
  type RepositoryPackage,
  type RepositorySettings,
  type RepositoryState,
  STATE_DIRECTORY,
} from '../model/repository.ts';
import { type ChangeResult, commitChange } from './commit.ts';
import { hasJournal, recover } from './journal.ts';
import { DEFAULT_SETTINGS, openState, readState } from './state.ts';

/** How a change of a repository is signed and dated. */
export interface WriteOptions {
  /** In the order of the signatures. Empty for an unsigned repository. */
  readonly signers?: readonly Signer[] | undefined;
  /** Allow a signed repository to become unsigned. */
  readonly unsigned?: boolean | undefined;
  /** Commits nothing, so no key is needed. */
  readonly dryRun?: boolean | undefined;
  /** Date of the new indices, seconds since 1970-01-01 UTC; by default SOURCE_DATE_EPOCH or now. */
  readonly date?: number | undefined;
  /** Contains SOURCE_DATE_EPOCH; `process.env` by default. */
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Exclusive write access to a repository. */
export interface WriteSession {
  readonly before: RepositoryState;
  /** Temporary directory of this process, relative to the repository; may not exist yet. */
  readonly work: string;
  commit(next: {
    readonly packages: readonly RepositoryPackage[];
    readonly settings?: RepositorySettings | undefined;
    readonly all?: boolean | undefined;
  }): Promise<ChangeResult>;
}

/**
 * Runs `work` with exclusive write access, after recovering from a killed writer.
 *
 * @param options.create create the repository if it does not exist
 * @throws KubeparcelError of kind 'usage' if the directory is not a repository, or the repository is signed and there are
 *   no signers
 */
export async function writeRepository<T>(
  directory: string,
  options: WriteOptions & { readonly create?: boolean | undefined },
  work: (session: WriteSession) => Promise<T>,
): Promise<T> {
  if (options.create !== true) await openState(directory);
  await makeStateDirectory(directory);
  return withLock(lockPath(directory), 'the repository', async () => {
    await recover(directory);
    const before = await readState(directory);
    const signers = options.signers ?? [];
    if (
      signers.length === 0 &&
      options.unsigned !== true &&
      options.dryRun !== true &&
      before?.views.some(({ signedBy }) => signedBy.length > 0)
    ) {
      throw new KubeparcelError('usage', 'the repository is signed, but no key for the new indices was specified', {
        where: directory,
        hint: 'specify the key with --key, or use --unsigned to remove the signatures',
      });
    }
    const epoch = sourceDateEpoch(options.environment ?? process.env);
    const date = signatureDate(signers, { given: options.date, epoch, now: Math.floor(Date.now() / 1000) });
    const workPath = `${STATE_DIRECTORY}/work${ownedSuffix()}`;
    const session: WriteSession = {
      before: before ?? { settings: DEFAULT_SETTINGS, packages: [], views: [] },
      work: workPath,
      commit: ({ packages, settings = before?.settings ?? DEFAULT_SETTINGS, all = false }) => {
        options.signal?.throwIfAborted();
        return commitChange({ directory, before, settings, packages, signers, date, work: workPath, all });
      },
    };
    try {
      return await work(session);
    } finally {
      // The next writer completes a committed change.
      if (!(await hasJournal(directory))) await rm(join(directory, workPath), { recursive: true, force: true });
    }
  });
}

async function makeStateDirectory(directory: string): Promise<void> {
  try {
    await mkdir(join(directory, STATE_DIRECTORY), { recursive: true });
    await access(join(directory, STATE_DIRECTORY));
  } catch (cause) {
    const isFile = isErrno(cause, 'ENOTDIR') || isErrno(cause, 'EEXIST');
    const what = isFile ? 'not a directory' : 'cannot write to the directory';
    throw new KubeparcelError('io', what, { where: directory, cause });
  }
}
