import { compareDebVersions } from '../../deb/compare-versions.ts';
import { compareEvr } from '../../rpm/compare-versions.ts';
import { KubeparcelError } from '../../support/errors.ts';
import { CHANNELS, type Channel, poolPath, type RepositoryPackage } from './repository.ts';
import { compareMinors } from './view-packages.ts';

/**
 * Packages that a person names: by file name (`kubelet_1.36.4-1_amd64.deb`), `NAME`, `NAME=VERSION` (a version without
 * revision means all revisions), or a minor (`v1.36`).
 *
 * @throws KubeparcelError of kind 'usage' for words that name nothing
 */
export function selectPackages(packages: readonly RepositoryPackage[], words: readonly string[]): RepositoryPackage[] {
  const selected = new Set<RepositoryPackage>();
  for (const word of words) {
    const found = packages.filter((each) => isNamed(each, word));
    if (found.length === 0) {
      throw new KubeparcelError('usage', `no package of the repository is named ${JSON.stringify(word)}`, {
        hint: 'name packages by file, NAME or NAME=VERSION, as index.json lists them, or all of a minor as v1.36',
      });
    }
    for (const each of found) selected.add(each);
  }
  return packages.filter((each) => selected.has(each));
}

function isNamed(each: RepositoryPackage, word: string): boolean {
  const file = word.slice(word.lastIndexOf('/') + 1);
  if (each.file === file) return true;
  const [, minor] = /^v(\d+\.\d+)$/.exec(word) ?? [];
  if (minor !== undefined) return Object.values(each.channels).some((minors) => minors.includes(minor));
  const [name, version] = word.split('=');
  return each.name === name && (version === undefined || each.version === version || upstreamOf(each) === version);
}

function upstreamOf({ version }: RepositoryPackage): string {
  return version.replace(/^\d+:/, '').replace(/-[^-]*$/, '');
}

/** Older versions first, as the package's format orders them. */
function compareVersions(a: RepositoryPackage, b: RepositoryPackage): number {
  return a.format === 'deb' ? compareDebVersions(a.version, b.version) : compareEvr(a.version, b.version);
}

/** What is kept of a channel; what is undefined is kept in any number. */
export interface PrunePolicy {
  /** The newest patches of each minor: of each package, format and architecture, so many upstream versions. */
  readonly patches: number | undefined;
  /** The newest minors, those of the channel's packages counted. */
  readonly minors: number | undefined;
}

/**
 * What a policy leaves of a channel. A package that goes with several minors leaves those in which it is too old, and the
 * channel with the last of them. Revisions of one version go together.
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
    const had = each.channels[channel];
    if (had === undefined) return [each];
    const left = had.filter((minor) => kept.get(poolPath(each))?.has(minor));
    return withChannel(each, channel, left);
  });
}

/** The package with these minors of a channel; nothing, when no channel has it any more. */
export function withChannel(each: RepositoryPackage, channel: Channel, minors: readonly string[]): RepositoryPackage[] {
  const { [channel]: _, ...others } = each.channels;
  const channels = inOrder(minors.length === 0 ? others : { ...others, [channel]: minors });
  return Object.keys(channels).length === 0 ? [] : [{ ...each, channels }];
}

/** In the order of CHANNELS, whatever came first: the same repository is written the same. */
export function inOrder(channels: RepositoryPackage['channels']): RepositoryPackage['channels'] {
  return Object.fromEntries(
    CHANNELS.flatMap((channel) => {
      const minors = channels[channel];
      return minors === undefined ? [] : [[channel, minors]];
    }),
  );
}
