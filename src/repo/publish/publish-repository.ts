import { join } from 'node:path';
import { KubeparcelError } from '../../support/errors.ts';
import { withLock } from '../../support/lock.ts';
import { checkRepository, refuseFaults } from '../closure/check-repository.ts';
import { INDEX_FILE } from '../model/index-file.ts';
import { lockPath } from '../model/repository.ts';
import { isFault } from '../verify/finding.ts';
import { verifyRepository } from '../verify/verify.ts';
import type { PublishPlan } from './plan.ts';
import { publish } from './publish.ts';
import type { OnPublishEvent, PublishTarget } from './target.ts';

interface PublishOptions {
  readonly dryRun: boolean;
  /** Delete nothing. */
  readonly keep: boolean;
  /** Verify sizes of packages in place of digests. */
  readonly quick: boolean;
  /** Pass the closure gate by. */
  readonly unchecked: boolean;
  /** Distributions to check for; all by default. */
  readonly distributions: readonly string[] | undefined;
  readonly signal: AbortSignal;
  readonly onEvent?: OnPublishEvent;
}

/**
 * Publishes a repository that is whole (`verify`) and can be installed (the closure gate), while no writer changes it.
 *
 * @throws KubeparcelError of kind 'verification' for one that is not, before anything is sent
 */
export async function publishRepository(
  directory: string,
  target: PublishTarget,
  options: PublishOptions,
): Promise<PublishPlan> {
  const { signal, distributions } = options;
  const { findings } = await verifyRepository(directory, { quick: options.quick, signal });
  const faults = findings.filter(isFault);
  const [first] = faults;
  if (first !== undefined) {
    throw new KubeparcelError('verification', `the repository is not whole: ${first.what}`, {
      where: join(directory, first.path),
      hint: `see all ${faults.length} findings with kubeparcel repo verify, and mend them with kubeparcel repo index`,
    });
  }
  if (!options.unchecked) refuseFaults(await checkRepository(directory, { distributions, signal }), directory);
  return withLock(lockPath(directory), 'the repository', () =>
    publish({ ...options, directory, marker: INDEX_FILE, target }),
  );
}
