import { z } from 'zod';
import { boundNumbers, compareNumbers, type VersionNumbers, versionNumbers } from './versions.ts';

/** A half-open range of Kubernetes versions: since is in it, until is not; without until it has no end. */
export interface Range {
  readonly since: string;
  readonly until?: string | undefined;
}

/** The Kubernetes minors that the data knows, both included. */
export interface Span {
  readonly oldest: string;
  readonly newest: string;
}

/** A minor, or a patch release where a minor is too coarse: '1.24', '1.24.5'. */
export const bound = z
  .string("put a version in quotes, as '1.30': YAML reads 1.30 as the number 1.3")
  .regex(/^1\.\d{1,3}(\.\d{1,3})?$/, "a minor or a patch release of Kubernetes, as '1.24' or '1.24.5'");

/** A list of ranges that cover the whole span in order, with neither overlap nor hole. */
export function coveringRanges<Item extends z.ZodType<Range>>(item: Item, span: Span) {
  return z
    .array(item)
    .min(1)
    .superRefine((ranges, context) => {
      for (const { index, key, message } of faults(ranges, span)) {
        context.addIssue({ code: 'custom', path: [index, key], message });
      }
    });
}

/** The range that a release of Kubernetes falls in; undefined only past the end of ranges that have one. */
export function rangeAt<Item extends Range>(ranges: readonly Item[], version: string): Item | undefined {
  const numbers = versionNumbers(version);
  return ranges.find(
    ({ since, until }) =>
      compareNumbers(numbers, boundNumbers(since)) >= 0 &&
      (until === undefined || compareNumbers(numbers, boundNumbers(until)) < 0),
  );
}

/** Whether two ranges share a release. */
export function overlap(a: Range, b: Range): boolean {
  return startsBeforeEnd(a, b) && startsBeforeEnd(b, a);
}

function startsBeforeEnd(a: Range, b: Range): boolean {
  return b.until === undefined || compareNumbers(boundNumbers(a.since), boundNumbers(b.until)) < 0;
}

interface Fault {
  readonly index: number;
  readonly key: keyof Range;
  readonly message: string;
}

function faults(ranges: readonly Range[], span: Span): Fault[] {
  const found: Fault[] = [];
  const fault = (index: number, key: keyof Range, message: string) => found.push({ index, key, message });
  let end: string | undefined = span.oldest;
  for (const [index, { since, until }] of ranges.entries()) {
    if (end === undefined) {
      fault(index, 'since', `overlap: the range before this one has no until, so it covers ${since} too`);
    } else {
      const gap = compareNumbers(boundNumbers(since), boundNumbers(end));
      if (gap > 0) fault(index, 'since', `hole: nothing covers ${end} up to ${since}`);
      if (gap < 0 && index > 0) fault(index, 'since', `overlap: ${since} up to ${end} is covered twice`);
    }
    if (until !== undefined && compareNumbers(boundNumbers(since), boundNumbers(until)) >= 0) {
      fault(index, 'until', `an empty range: ${since} up to ${until}`);
    }
    end = until;
  }
  if (end !== undefined && compareNumbers(boundNumbers(end), after(span.newest)) < 0) {
    fault(ranges.length - 1, 'until', `hole: nothing covers ${end} up to the end of ${span.newest}`);
  }
  return found;
}

function after(minor: string): VersionNumbers {
  const [major, number] = boundNumbers(minor);
  return [major, number + 1, 0];
}
