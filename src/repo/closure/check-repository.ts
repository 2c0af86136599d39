import { loadCatalog } from '../../catalog/catalog.ts';
import { findDistribution } from '../../catalog/targets.ts';
import { KubeparcelError } from '../../support/errors.ts';
import { plural } from '../../support/plural.ts';
import type { Channel, RepositoryPackage } from '../model/repository.ts';
import { RecordCache } from '../records/record-cache.ts';
import { openState } from '../transaction/state.ts';
import { type ClosurePackage, type ClosureReport, checkClosure } from './closure.ts';
import { faultTexts } from './fault-text.ts';
import { loadProvided } from './provided.ts';

interface CheckRequest {
  /** All channels by default. */
  readonly channel?: Channel | undefined;
  /** Ids or aliases of distributions; all by default. */
  readonly distributions?: readonly string[] | undefined;
  /** Directory of lists; kubeparcel's own by default. */
  readonly provided?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What was checked, and what was found. */
export interface RepositoryClosure {
  readonly report: ClosureReport;
  readonly distributions: readonly string[];
}

/**
 * Holds a repository's channel against the closure gate.
 *
 * @throws KubeparcelError of kind 'usage' for a directory that is no repository, and for a distribution that is not known or
 * has no list
 */
export async function checkRepository(directory: string, request: CheckRequest = {}): Promise<RepositoryClosure> {
  const state = await openState(directory);
  return checkPackages(directory, state.packages, request);
}

/** The same of a repository that would have these packages. */
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
    throw new KubeparcelError('usage', `there is no list of what ${unknown.id} has`, {
      hint: `make it: kubeparcel repo provided ${unknown.id}`,
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
 * Ends a publication or promotion of what is not whole.
 *
 * @throws KubeparcelError of kind 'verification' that tells the first fault, and how many there are
 */
export function refuseFaults({ report }: RepositoryClosure, directory: string): void {
  const [first] = report.faults;
  if (first === undefined) return;
  const { what, where, hint } = faultTexts(first);
  const more = report.faults.length - 1;
  throw new KubeparcelError(
    'verification',
    `${what}${more === 0 ? '' : `; ${plural(more, 'more problem')}, see kubeparcel repo check`}`,
    {
      where: `${directory}, ${where}`,
      hint,
    },
  );
}
