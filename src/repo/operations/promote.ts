import { join } from 'node:path';
import { KubeparcelError } from '../../support/errors.ts';
import { compareMinors } from '../model/minors.ts';
import type { Channel, RepositoryPackage } from '../model/repository.ts';
import { selectPackages } from '../model/select.ts';
import type { ChangeResult } from '../transaction/commit.ts';
import { type WriteOptions, writeRepository } from '../transaction/session.ts';
import { verifyPackages } from '../verify/verify.ts';

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
  directory: string,
  words: readonly string[],
  options: PromoteOptions,
): Promise<PromoteResult> {
  const { from, to } = options;
  if (from === to) throw new KubeparcelError('usage', 'a channel cannot be promoted to itself', { where: from });
  return writeRepository(directory, options, async ({ before, commit }) => {
    const there = before.packages.filter((each) => each.channels[from] !== undefined);
    const chosen = new Set(words.length === 0 ? there : selectPackages(there, words));
    const [first, ...others] = await verifyPackages(directory, [...chosen]);
    if (first !== undefined) {
      const more = others.length === 0 ? '' : ` (and ${others.length} more)`;
      throw new KubeparcelError('verification', `${first.what}${more}; nothing was promoted`, {
        where: join(directory, first.path),
        hint: 'look with kubeparcel repo verify; remove the package and add it again',
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
