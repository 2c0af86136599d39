import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { KubeparcelError } from '../../support/errors.ts';
import { withLock } from '../../support/lock.ts';
import { checkRepository, refuseFaults } from '../closure/check-repository.ts';
import { INDEX_FILE } from '../model/index-file.ts';
import { lockPath } from '../model/repository.ts';
import type { ListedFile } from '../storage/list-files.ts';
import { listFiles } from '../storage/list-files.ts';
import { isFault } from '../verify/finding.ts';
import { verifyRepository } from '../verify/verify.ts';
import { type PublishPlan, planPublish, type Upload } from './plan.ts';
import type { OnPublishEvent, PublishContext, PublishTarget } from './target.ts';

interface PublishOptions {
  /** Plan only; the target is not changed. */
  readonly dryRun: boolean;
  /** Delete nothing. */
  readonly keep: boolean;
  /** Verify the sizes of packages instead of their digests. */
  readonly quick: boolean;
  /** Skip the closure check. */
  readonly unchecked: boolean;
  /** Distributions of the closure check; all by default. */
  readonly distributions: readonly string[] | undefined;
  readonly signal: AbortSignal;
  readonly onEvent?: OnPublishEvent | undefined;
}

/**
 * Publishes a repository after verifying it and checking its closure. Holds its lock.
 *
 * @throws KubeparcelError of kind 'verification' if a check fails; nothing is uploaded then
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
    throw new KubeparcelError('verification', `the repository is damaged: ${first.what}`, {
      where: join(directory, first.path),
      hint: `list ${faults.length === 1 ? 'it' : `all ${faults.length} faults`} with kubeparcel repo verify; then remove and add damaged packages again, and repair indices with kubeparcel repo index`,
    });
  }
  if (!options.unchecked) refuseFaults(await checkRepository(directory, { distributions, signal }), directory);
  return withLock(lockPath(directory), 'the repository', () =>
    publish({ ...options, directory, marker: INDEX_FILE, target }),
  );
}

interface PublishRequest extends Pick<PublishOptions, 'dryRun' | 'keep' | 'onEvent'> {
  /** The repository. */
  readonly directory: string;
  /** Path of a file that every repository has. */
  readonly marker: string;
  readonly target: PublishTarget;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Makes the target equal to the repository: uploads in phases, then deletions. The caller has verified the repository and
 * holds its lock.
 *
 * @returns the plan, which was carried out unless `dryRun` is set
 * @throws KubeparcelError of kind 'usage' if the directory is not a repository, 'network' or 'io' if the target cannot be
 *   read or written; the next run continues from there
 */
export async function publish(request: PublishRequest): Promise<PublishPlan> {
  const { directory, marker, target, signal } = request;
  const context = { directory, signal, onEvent: request.onEvent ?? (() => {}) };
  const isRepository = await stat(join(directory, marker)).then(
    (found) => found.isFile(),
    () => false,
  );
  if (!isRepository) {
    throw new KubeparcelError('usage', 'not a repository', {
      where: directory,
      hint: 'create one with kubeparcel repo add',
    });
  }
  const { local, remote } = await target.compare(await listFiles(directory, target.mode), context);
  const plan = planPublish(local, remote, marker);
  const chosen = request.keep ? { ...plan, deletions: [] } : plan;
  if (!request.dryRun) await apply(chosen, local, target, context);
  return chosen;
}

async function apply(
  plan: PublishPlan,
  local: readonly ListedFile[],
  target: PublishTarget,
  context: PublishContext,
): Promise<void> {
  for (const { phase, uploads } of plan.phases) {
    // The server may have processed a deletion of a killed run after the comparison.
    if (phase === 'pointers') await uploadMissing(local, target, context);
    await uploadByRank(uploads, target, context);
  }
  if (plan.deletions.length > 0) await target.remove(plan.deletions, context);
}

/** Uploads packages and indices that the target no longer has. */
async function uploadMissing(
  local: readonly ListedFile[],
  target: PublishTarget,
  context: PublishContext,
): Promise<void> {
  const remote = [...(await target.present(context))].map((path) => ({ path, size: 0, digest: 'any' }));
  const anyContent = local.map((file) => ({ ...file, size: 0, digest: 'any' }));
  const sizes = new Map(local.map(({ path, size }) => [path, size]));
  for (const { phase, uploads } of planPublish(anyContent, remote, '').phases) {
    if (phase !== 'packages' && phase !== 'indices') continue;
    await uploadByRank(
      uploads.map((upload) => ({ ...upload, size: sizes.get(upload.path) ?? 0 })),
      target,
      context,
    );
  }
}

async function uploadByRank(uploads: readonly Upload[], target: PublishTarget, context: PublishContext): Promise<void> {
  for (const rank of new Set(uploads.map((upload) => upload.rank))) {
    context.signal?.throwIfAborted();
    await target.upload(
      uploads.filter((upload) => upload.rank === rank),
      context,
    );
  }
}
