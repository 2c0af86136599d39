import { join } from 'node:path';
import { KubeparcelError } from '../support/errors.ts';
import type { ChangeResult } from './commit-change.ts';
import { digestPackage } from './digest-package.ts';
import { readRecord } from './read-record.ts';
import { CHANNELS, type Channel, poolPath, type RepositoryPackage, type RepositorySettings } from './repository.ts';
import { type PrunePolicy, pruned, selectPackages, withChannel } from './select.ts';
import { openCache, sweepCache } from './store/cache.ts';
import { verifyPackages } from './verify.ts';
import { compareMinors } from './view-packages.ts';
import { type WriteOptions, type WriteSession, writeRepository } from './write-session.ts';

export interface RemovalResult extends ChangeResult {
  /** Packages that a channel lost, as they were. */
  readonly taken: readonly RepositoryPackage[];
}

/**
 * Takes packages out of a channel, or of all; what no channel has any more leaves the pool.
 *
 * @param words as `selectPackages` takes them
 */
export async function removePackages(
  folder: string,
  words: readonly string[],
  options: WriteOptions & { readonly channel?: Channel | undefined; readonly dryRun?: boolean },
): Promise<RemovalResult> {
  const channels = options.channel === undefined ? CHANNELS : [options.channel];
  return writeRepository(folder, options, async (session) => {
    const inChannels = session.before.packages.filter((each) => channels.some((one) => each.channels[one]));
    const chosen = new Set(selectPackages(inChannels, words));
    const without = (each: RepositoryPackage) => {
      let some: readonly RepositoryPackage[] = [each];
      for (const channel of channels) some = some.flatMap((kept) => withChannel(kept, channel, []));
      return some;
    };
    const left = session.before.packages.flatMap((each) => (chosen.has(each) ? without(each) : [each]));
    return shrink(folder, session, left, [...chosen], options.dryRun === true);
  });
}

/** Takes out of a channel what a policy does not keep. */
export async function prunePackages(
  folder: string,
  policy: PrunePolicy & { readonly channel: Channel },
  options: WriteOptions & { readonly dryRun?: boolean },
): Promise<RemovalResult> {
  return writeRepository(folder, options, async (session) => {
    const left = pruned(session.before.packages, policy.channel, policy);
    const minorsLeft = new Map(left.map((each) => [poolPath(each), each.channels[policy.channel]?.length ?? 0]));
    const taken = session.before.packages.filter(
      (each) => (each.channels[policy.channel]?.length ?? 0) > (minorsLeft.get(poolPath(each)) ?? 0),
    );
    return shrink(folder, session, left, taken, options.dryRun === true);
  });
}

const NOTHING: ChangeResult = { written: [], removed: [], unchanged: 0, copies: 0 };

async function shrink(
  folder: string,
  { before, commit }: WriteSession,
  left: readonly RepositoryPackage[],
  taken: readonly RepositoryPackage[],
  dryRun: boolean,
): Promise<RemovalResult> {
  if (dryRun || taken.length === 0) return { ...NOTHING, unchanged: before.views.length, taken };
  const result = await commit({ packages: left });
  await sweepCache(folder, new Set(left.map(({ sha256 }) => sha256)));
  return { ...result, taken };
}

export interface PromoteResult extends ChangeResult {
  readonly promoted: readonly RepositoryPackage[];
}

export interface PromoteOptions extends WriteOptions {
  readonly from: Channel;
  readonly to: Channel;
  /** Asked with all packages as they would be, before anything is written; what it throws ends the promotion. */
  readonly gate?: ((packages: readonly RepositoryPackage[]) => Promise<void>) | undefined;
}

/**
 * Offers packages of one channel in another too, with the bytes that they have. Nothing is promoted unless every one of
 * them is in the pool as it was added.
 *
 * @param words as `selectPackages` takes them; none means all of the channel
 * @throws KubeparcelError of kind 'verification' for a package that is gone or changed
 */
export async function promotePackages(
  folder: string,
  words: readonly string[],
  options: PromoteOptions,
): Promise<PromoteResult> {
  const { from, to } = options;
  if (from === to) throw new KubeparcelError('usage', 'a channel cannot be promoted to itself', { where: from });
  return writeRepository(folder, options, async ({ before, commit }) => {
    const there = before.packages.filter((each) => each.channels[from] !== undefined);
    const chosen = new Set(words.length === 0 ? there : selectPackages(there, words));
    const [first, ...others] = await verifyPackages(folder, [...chosen]);
    if (first !== undefined) {
      const more = others.length === 0 ? '' : ` (and ${others.length} more)`;
      throw new KubeparcelError('verification', `${first.what}${more}; nothing was promoted`, {
        where: join(folder, first.path),
        todo: 'look with kubeparcel repo verify; remove the package and add it again',
      });
    }
    const promoted: RepositoryPackage[] = [];
    const packages = before.packages.map((each) => {
      if (!chosen.has(each)) return each;
      const had = each.channels[to] ?? [];
      const minors = [...new Set([...had, ...(each.channels[from] ?? [])])].sort(compareMinors);
      if (minors.length === had.length) return each;
      const next = { ...each, channels: { ...each.channels, [to]: minors } };
      promoted.push(next);
      return next;
    });
    if (promoted.length > 0) await options.gate?.(packages);
    return { ...(await commit({ packages })), promoted };
  });
}

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
export async function indexRepository(folder: string, options: IndexOptions): Promise<ChangeResult> {
  return writeRepository(folder, options, async ({ before, commit }) => {
    if (options.reread === true) await reread(folder, before.packages, options);
    const settings = { ...before.settings, ...options.settings };
    return commit({ packages: before.packages, settings, all: options.all === true || options.reread === true });
  });
}

async function reread(
  folder: string,
  packages: readonly RepositoryPackage[],
  { signal }: { readonly signal?: AbortSignal },
): Promise<void> {
  const cache = openCache(folder);
  for (const each of packages) {
    const path = join(folder, poolPath(each));
    const digests = await digestPackage(path, signal);
    if (digests.sha256 !== each.sha256) {
      throw new KubeparcelError('verification', 'the package is not the one that was added', {
        where: path,
        todo: 'remove it, and add it again from where it was built',
      });
    }
    cache.put(await readRecord(path, digests, signal === undefined ? {} : { signal }));
  }
}
