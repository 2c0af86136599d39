import { KubeparcelError } from './errors.ts';

/**
 * The timestamp for all build output (reproducible-builds.org, SOURCE_DATE_EPOCH specification).
 *
 * @returns seconds since 1970-01-01 UTC; undefined if the variable is not set
 * @throws KubeparcelError of kind 'usage' for anything but a number of seconds that fits in 32 bits
 */
export function sourceDateEpoch(environment: Readonly<Record<string, string | undefined>>): number | undefined {
  const text = environment.SOURCE_DATE_EPOCH;
  if (text === undefined || text === '') return undefined;
  const seconds = Number(text);
  if (!/^\d+$/.test(text) || seconds > 0xffffffff) {
    throw new KubeparcelError('usage', `invalid time ${JSON.stringify(text)}`, {
      where: 'SOURCE_DATE_EPOCH',
      hint: 'set it to seconds since 1970, for example $(git log -1 --format=%ct), or unset it',
    });
  }
  return seconds;
}
