import { CHANNELS, type Channel, poolPath, type RepositoryPackage } from '../model/repository.ts';
import { type PrunePolicy, pruned, selectPackages, withChannel } from '../model/select.ts';
import { RecordCache } from '../records/record-cache.ts';
import type { ChangeResult } from '../transaction/commit.ts';
import { type WriteOptions, type WriteSession, writeRepository } from '../transaction/session.ts';

export interface RemovalResult extends ChangeResult {
  /** Packages that were removed from a channel, in their former state. */
  readonly taken: readonly RepositoryPackage[];
}

/**
 * Removes packages from one channel or all. Packages that no channel has any more are deleted from the pool.
 *
 * @param selectors see `selectPackages`
 */
export async function removePackages(
  directory: string,
  selectors: readonly string[],
  options: WriteOptions & { readonly channel?: Channel | undefined },
): Promise<RemovalResult> {
  const channels = options.channel === undefined ? CHANNELS : [options.channel];
  return writeRepository(directory, options, async (session) => {
    const inChannels = session.before.packages.filter((each) => channels.some((one) => each.channels[one]));
    const chosen = new Set(selectPackages(inChannels, selectors));
    const without = (each: RepositoryPackage) => {
      let some: readonly RepositoryPackage[] = [each];
      for (const channel of channels) some = some.flatMap((one) => withChannel(one, channel, []));
      return some;
    };
    const left = session.before.packages.flatMap((each) => (chosen.has(each) ? without(each) : [each]));
    return commitRemaining(directory, session, left, [...chosen], options.dryRun === true);
  });
}

/** Removes the packages of a channel that the policy does not keep. */
export async function prunePackages(
  directory: string,
  policy: PrunePolicy & { readonly channel: Channel },
  options: WriteOptions,
): Promise<RemovalResult> {
  return writeRepository(directory, options, async (session) => {
    const left = pruned(session.before.packages, policy.channel, policy);
    const minorsLeft = new Map(left.map((each) => [poolPath(each), each.channels[policy.channel]?.length ?? 0]));
    const taken = session.before.packages.filter(
      (each) => (each.channels[policy.channel]?.length ?? 0) > (minorsLeft.get(poolPath(each)) ?? 0),
    );
    return commitRemaining(directory, session, left, taken, options.dryRun === true);
  });
}

const NO_CHANGE: ChangeResult = { written: [], removed: [], unchanged: 0, copies: 0 };

async function commitRemaining(
  directory: string,
  { before, commit }: WriteSession,
  left: readonly RepositoryPackage[],
  taken: readonly RepositoryPackage[],
  dryRun: boolean,
): Promise<RemovalResult> {
  if (dryRun || taken.length === 0) return { ...NO_CHANGE, unchanged: before.views.length, taken };
  const result = await commit({ packages: left });
  await new RecordCache(directory).sweep(new Set(left.map(({ sha256 }) => sha256)));
  return { ...result, taken };
}
