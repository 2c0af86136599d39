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
  /** The first goes first in every file; none leaves an unsigned repository unsigned. */
  readonly signers?: readonly Signer[];
  /** Lets a signed repository become an unsigned one. */
  readonly unsigned?: boolean;
  /** Of what is written, seconds since 1970-01-01 UTC; SOURCE_DATE_EPOCH, or now, by default. */
  readonly date?: number | undefined;
  /** For SOURCE_DATE_EPOCH; the process's own by default. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly signal?: AbortSignal;
}

/** What a writer works with while no other writer does. */
export interface WriteSession {
  readonly before: RepositoryState;
  /** Relative to the repository: a directory of this run's own, which need not be there yet. */
  readonly work: string;
  commit(next: {
    readonly packages: readonly RepositoryPackage[];
    readonly settings?: RepositorySettings;
    readonly all?: boolean;
  }): Promise<ChangeResult>;
}

/**
 * Runs `work` as the only writer of a repository, after finishing what a killed one had begun.
 *
 * @param options.create make the repository when there is none
 * @throws KubeparcelError of kind 'usage' when the directory is no repository, or when it is signed and no key is given
 */
export async function writeRepository<T>(
  directory: string,
  options: WriteOptions & { readonly create?: boolean },
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
      before?.views.some(({ signedBy }) => signedBy.length > 0)
    ) {
      throw new KubeparcelError('usage', 'the repository is signed, and no key is given for the new indices', {
        where: directory,
        hint: 'name the key with --key, or say --unsigned to have a repository without signatures',
      });
    }
    const epoch = sourceDateEpoch(options.environment ?? process.env);
    const date = signatureDate(signers, { asked: options.date, epoch, now: Math.floor(Date.now() / 1000) });
    const own = `${STATE_DIRECTORY}/work${ownedSuffix()}`;
    const session: WriteSession = {
      before: before ?? { settings: DEFAULT_SETTINGS, packages: [], views: [] },
      work: own,
      commit: ({ packages, settings = before?.settings ?? DEFAULT_SETTINGS, all = false }) => {
        options.signal?.throwIfAborted();
        return commitChange({ directory, before, settings, packages, signers, date, work: own, all });
      },
    };
    try {
      return await work(session);
    } finally {
      // What is decided is for the next writer to finish.
      if (!(await hasJournal(directory))) await rm(join(directory, own), { recursive: true, force: true });
    }
  });
}

async function makeStateDirectory(directory: string): Promise<void> {
  try {
    await mkdir(join(directory, STATE_DIRECTORY), { recursive: true });
    await access(join(directory, STATE_DIRECTORY));
  } catch (cause) {
    const what =
      isErrno(cause, 'ENOTDIR') || isErrno(cause, 'EEXIST') ? 'this is no directory' : 'it cannot be written to';
    throw new KubeparcelError('io', what, { where: directory, cause });
  }
}
