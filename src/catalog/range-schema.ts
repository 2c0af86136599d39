import { z } from 'zod';
import { boundNumbers, compareNumbers, type VersionNumbers } from '../model/kubernetes-version.ts';
import type { Range, Span } from './ranges.ts';

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
