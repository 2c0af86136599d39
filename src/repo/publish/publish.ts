import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { KubeparcelError } from '../../support/errors.ts';
import type { ListedFile } from '../storage/files.ts';
import { listFiles } from '../storage/list-files.ts';
import { type PublishPlan, planPublish, type Upload } from './plan.ts';
import type { OnPublishEvent, PublishContext, PublishTarget } from './target.ts';

interface PublishRequest {
  /** The repository. */
  readonly directory: string;
  /** Path of the file that makes a directory a repository. */
  readonly marker: string;
  readonly target: PublishTarget;
  /** Make the plan only; the target is read, never written. */
  readonly dryRun: boolean;
  /** Leave what the repository no longer has. */
  readonly keep: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: OnPublishEvent;
}

/**
 * Makes a target as the repository is: uploads in phases, deletions last. Whoever calls has verified the repository and
 * holds its lock.
 *
 * @returns the plan, carried out unless it was a dry run
 * @throws KubeparcelError of kind 'usage' for a directory that is no repository, 'network' or 'io' for a target that
 * cannot be written; what has been sent by then stays, and the next run goes on from there
 */
export async function publish(request: PublishRequest): Promise<PublishPlan> {
  const { directory, marker, target, signal } = request;
  const context = { directory, signal, onEvent: request.onEvent ?? (() => {}) };
  const isRepository = await stat(join(directory, marker)).then(
    (found) => found.isFile(),
    () => false,
  );
  if (!isRepository) {
    throw new KubeparcelError('usage', 'not a repository', { where: directory, hint: 'make one: kubeparcel repo add' });
  }
  const { local, remote } = await target.compare(await listFiles(directory, target.mode), context);
  const plan = planPublish(local, remote, marker);
  const kept = request.keep ? { ...plan, deletions: [] } : plan;
  if (!request.dryRun) await carryOut(kept, local, target, context);
  return kept;
}

async function carryOut(
  plan: PublishPlan,
  local: readonly ListedFile[],
  target: PublishTarget,
  context: PublishContext,
): Promise<void> {
  for (const { phase, uploads } of plan.phases) {
    // A run that was killed may have left a deletion on its way, which arrives after the comparison.
    if (phase === 'pointers') await uploadMissing(local, target, context);
    await inOrder(uploads, target, context);
  }
  if (plan.deletions.length > 0) await target.remove(plan.deletions, context);
}

/** What pointers lead to and is not there any more. */
async function uploadMissing(
  local: readonly ListedFile[],
  target: PublishTarget,
  context: PublishContext,
): Promise<void> {
  const there = [...(await target.present(context))].map((path) => ({ path, size: 0, digest: 'any' }));
  const wanted = local.map((file) => ({ ...file, size: 0, digest: 'any' }));
  const sizes = new Map(local.map(({ path, size }) => [path, size]));
  for (const { phase, uploads } of planPublish(wanted, there, '').phases) {
    if (phase !== 'packages' && phase !== 'indices') continue;
    await inOrder(
      uploads.map((upload) => ({ ...upload, size: sizes.get(upload.path) ?? 0 })),
      target,
      context,
    );
  }
}

async function inOrder(uploads: readonly Upload[], target: PublishTarget, context: PublishContext): Promise<void> {
  for (const rank of new Set(uploads.map((upload) => upload.rank))) {
    context.signal?.throwIfAborted();
    await target.upload(
      uploads.filter((upload) => upload.rank === rank),
      context,
    );
  }
}
