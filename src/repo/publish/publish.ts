import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { KubeparcelError } from '../../support/errors.ts';
import { listFiles } from './list-files.ts';
import { type PublishPlan, planPublish } from './plan.ts';
import type { OnPublishEvent, PublishTarget } from './target.ts';

interface PublishRequest {
  /** The repository. */
  readonly folder: string;
  /** Path of the file that makes a folder a repository. */
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
 * @throws KubeparcelError of kind 'usage' for a folder that is no repository, 'network' or 'io' for a target that
 * cannot be written; what has been sent by then stays, and the next run goes on from there
 */
export async function publish(request: PublishRequest): Promise<PublishPlan> {
  const { folder, marker, target, signal } = request;
  const context = { folder, signal, onEvent: request.onEvent ?? (() => {}) };
  const isRepository = await stat(join(folder, marker)).then(
    (found) => found.isFile(),
    () => false,
  );
  if (!isRepository) {
    throw new KubeparcelError('usage', 'not a repository', { where: folder, todo: 'make one: kubeparcel repo add' });
  }
  const { local, remote } = await target.compare(await listFiles(folder), context);
  const plan = planPublish(local, remote, marker);
  const kept = request.keep ? { ...plan, deletions: [] } : plan;
  if (!request.dryRun) await target.apply(kept, context);
  return kept;
}
