import { loadCatalog } from '../../catalog/catalog.ts';
import { findDistribution } from '../../catalog/targets.ts';
import { KubeparcelError } from '../../support/errors.ts';
import { plural } from '../../support/plural.ts';
import type { Channel, RepositoryPackage } from '../model/repository.ts';
import { RecordCache } from '../records/record-cache.ts';
import { openState } from '../transaction/state.ts';
import { type ClosurePackage, type ClosureReport, checkClosure, faultTexts } from './closure.ts';
import { loadProvided } from './provided.ts';

interface CheckRequest {
  /** All channels by default. */
  readonly channel?: Channel | undefined;
  /** Ids or aliases; all by default. */
  readonly distributions?: readonly string[] | undefined;
  /** Directory of lists; packaging/provided by default. */
  readonly provided?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Result of the check. */
export interface RepositoryClosure {
  readonly report: ClosureReport;
  readonly distributions: readonly string[];
}

/**
 * Checks the closure of a channel, or of all.
 *
 * @throws KubeparcelError of kind 'usage' if the directory is not a repository, or a distribution is unknown or has no list
 */
export async function checkRepository(directory: string, request: CheckRequest = {}): Promise<RepositoryClosure> {
  const state = await openState(directory);
  return checkPackages(directory, state.packages, request);
}

/** Like `checkRepository`, for these packages instead of the current ones. */
export async function checkPackages(
  directory: string,
  packages: readonly RepositoryPackage[],
  { channel, distributions: ids, provided: lists, signal }: CheckRequest = {},
): Promise<RepositoryClosure> {
  const catalog = await loadCatalog();
  const provided = await loadProvided(lists);
  const distributions =
    ids === undefined || ids.length === 0 ? catalog.distributions : ids.map((name) => findDistribution(catalog, name));
  const unknown = distributions.find(({ id }) => !provided.some(({ distribution }) => distribution === id));
  if (unknown !== undefined) {
    throw new KubeparcelError('usage', `no list of names that ${unknown.id} provides`, {
      hint: `create it: kubeparcel repo provided ${unknown.id}`,
    });
  }
  const offered = packages.filter(({ channels }) => minorsIn(channels, channel).length > 0);
  const records = await new RecordCache(directory).recordsOf(offered, { signal });
  const report = checkClosure({
    packages: offered.flatMap((each): ClosurePackage[] => {
      const record = records.get(each.sha256);
      return record === undefined ? [] : [{ ...record, minors: minorsIn(each.channels, channel) }];
    }),
    distributions,
    known: catalog.distributions,
    provided,
    complete: catalog.packages.map(({ name }) => name),
  });
  return { report, distributions: distributions.map(({ id }) => id) };
}

function minorsIn(channels: RepositoryPackage['channels'], channel: Channel | undefined): readonly string[] {
  return channel === undefined ? [...new Set(Object.values(channels).flat())] : (channels[channel] ?? []);
}

/**
 * Throws if the check found faults.
 *
 * @throws KubeparcelError of kind 'verification' with the first fault and their number
 */
export function refuseFaults({ report }: RepositoryClosure, directory: string): void {
  const [first] = report.faults;
  if (first === undefined) return;
  const { what, where, hint } = faultTexts(first);
  const more = report.faults.length - 1;
  const others = more === 0 ? '' : `; ${plural(more, 'more problem')}, see kubeparcel repo check`;
  throw new KubeparcelError('verification', `${what}${others}`, { where: `${directory}, ${where}`, hint });
}
