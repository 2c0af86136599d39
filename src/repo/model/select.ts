import { compareDebVersions } from '../../deb/version.ts';
import { compareEvr } from '../../rpm/version.ts';
import { KubeparcelError } from '../../support/errors.ts';
import { compareMinors } from './minors.ts';
import { CHANNELS, type Channel, poolPath, type RepositoryPackage } from './repository.ts';

/**
 * Selects packages by file name (`kubelet_1.36.4-1_amd64.deb`), `NAME`, `NAME=VERSION` (without a revision: all
 * revisions) or minor (`v1.36`).
 *
 * @throws KubeparcelError of kind 'usage' for a selector that matches nothing
 */
export function selectPackages(
  packages: readonly RepositoryPackage[],
  selectors: readonly string[],
): RepositoryPackage[] {
  const selected = new Set<RepositoryPackage>();
  for (const selector of selectors) {
    const found = packages.filter((each) => matches(each, selector));
    if (found.length === 0) {
      throw new KubeparcelError('usage', `no package matches ${JSON.stringify(selector)}`, {
        hint: 'use a file name, NAME or NAME=VERSION as listed in index.json, or v1.36 for all packages of a minor',
      });
    }
    for (const each of found) selected.add(each);
  }
  return packages.filter((each) => selected.has(each));
}

function matches(each: RepositoryPackage, selector: string): boolean {
  const file = selector.slice(selector.lastIndexOf('/') + 1);
  if (each.file === file) return true;
  const [, minor] = /^v(\d+\.\d+)$/.exec(selector) ?? [];
  if (minor !== undefined) return Object.values(each.channels).some((minors) => minors.includes(minor));
  const [name, version] = selector.split('=');
  return each.name === name && (version === undefined || each.version === version || upstreamOf(each) === version);
}

function upstreamOf({ version }: RepositoryPackage): string {
  return version.replace(/^\d+:/, '').replace(/-[^-]*$/, '');
}

/** Oldest first, by the version order of the format. */
function compareVersions(a: RepositoryPackage, b: RepositoryPackage): number {
  return a.format === 'deb' ? compareDebVersions(a.version, b.version) : compareEvr(a.version, b.version);
}

/** What to keep in a channel; undefined keeps all. */
export interface PrunePolicy {
  /** Number of upstream versions per minor, package, format and architecture. */
  readonly patches: number | undefined;
  /** Number of minors. */
  readonly minors: number | undefined;
}

/**
 * Removes from a channel what the policy does not keep. A package of several minors is removed from each minor for which
 * it is too old, and from the channel when no minor is left. All revisions of a version are kept or removed together.
 */
export function pruned(
  packages: readonly RepositoryPackage[],
  channel: Channel,
  policy: PrunePolicy,
): RepositoryPackage[] {
  const minors = [...new Set(packages.flatMap((each) => each.channels[channel] ?? []))].sort(compareMinors);
  const keptMinors = new Set(policy.minors === undefined ? minors : minors.slice(-policy.minors));
  const kept = new Map<string, Set<string>>();
  for (const minor of keptMinors) {
    const groups = new Map<string, RepositoryPackage[]>();
    for (const each of packages.filter(({ channels }) => channels[channel]?.includes(minor))) {
      const key = `${each.format} ${each.name} ${each.architecture}`;
      groups.set(key, [...(groups.get(key) ?? []), each]);
    }
    for (const group of groups.values()) {
      const newestFirst = [...group].sort((a, b) => compareVersions(b, a));
      const versions = [...new Set(newestFirst.map(upstreamOf))].slice(0, policy.patches);
      for (const each of group.filter((one) => versions.includes(upstreamOf(one)))) {
        kept.set(poolPath(each), (kept.get(poolPath(each)) ?? new Set()).add(minor));
      }
    }
  }
  return packages.flatMap((each) => {
    const currentMinors = each.channels[channel];
    if (currentMinors === undefined) return [each];
    const remainingMinors = currentMinors.filter((minor) => kept.get(poolPath(each))?.has(minor));
    return withChannel(each, channel, remainingMinors);
  });
}

/** Sets a package's minors in a channel. Returns nothing if no channel has the package any more. */
export function withChannel(each: RepositoryPackage, channel: Channel, minors: readonly string[]): RepositoryPackage[] {
  const { [channel]: _, ...others } = each.channels;
  const channels = sortedChannels(minors.length === 0 ? others : { ...others, [channel]: minors });
  return Object.keys(channels).length === 0 ? [] : [{ ...each, channels }];
}

/** Sorted as in CHANNELS, so that equal repositories have equal files. */
export function sortedChannels(channels: RepositoryPackage['channels']): RepositoryPackage['channels'] {
  return Object.fromEntries(
    CHANNELS.flatMap((channel) => {
      const minors = channels[channel];
      return minors === undefined ? [] : [[channel, minors]];
    }),
  );
}
