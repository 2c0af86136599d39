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
  /** Called with the resulting packages before anything is written; an exception cancels the promotion. */
  readonly gate?: ((packages: readonly RepositoryPackage[]) => Promise<void>) | undefined;
}

/**
 * Adds packages of one channel to another. Verifies their digests in the pool first; nothing is promoted if one differs.
 *
 * @param selectors see `selectPackages`; empty for all packages of the channel
 * @throws KubeparcelError of kind 'verification' for a missing or changed package
 */
export async function promotePackages(
  directory: string,
  selectors: readonly string[],
  options: PromoteOptions,
): Promise<PromoteResult> {
  const { from, to } = options;
  if (from === to) throw new KubeparcelError('usage', 'cannot promote a channel to itself', { where: from });
  return writeRepository(directory, options, async ({ before, commit }) => {
    const available = before.packages.filter((each) => each.channels[from] !== undefined);
    const chosen = new Set(selectors.length === 0 ? available : selectPackages(available, selectors));
    const [first, ...others] = await verifyPackages(directory, [...chosen]);
    if (first !== undefined) {
      const more = others.length === 0 ? '' : ` (and ${others.length} more)`;
      throw new KubeparcelError('verification', `${first.what}${more}; nothing was promoted`, {
        where: join(directory, first.path),
        hint: 'list all faults with kubeparcel repo verify, then remove the package and add it again',
      });
    }
    const promoted: RepositoryPackage[] = [];
    const packages = before.packages.map((each) => {
      if (!chosen.has(each)) return each;
      const existing = each.channels[to] ?? [];
      const minors = [...new Set([...existing, ...(each.channels[from] ?? [])])].sort(compareMinors);
      if (minors.length === existing.length) return each;
      const next = { ...each, channels: { ...each.channels, [to]: minors } };
      promoted.push(next);
      return next;
    });
    if (promoted.length > 0) await options.gate?.(packages);
    return { ...(await commit({ packages })), promoted };
  });
}
