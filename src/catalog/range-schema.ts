import { z } from 'zod';
import { boundNumbers, compareNumbers, type VersionNumbers } from '../model/kubernetes-version.ts';
import type { Range, Span } from './ranges.ts';

/** A minor or a patch release: '1.24', '1.24.5'. */
export const bound = z
  .string("put a version in quotes, as '1.30': YAML reads 1.30 as the number 1.3")
  .regex(/^1\.\d{1,3}(\.\d{1,3})?$/, "expected a minor or a patch release of Kubernetes, such as '1.24' or '1.24.5'");

/** A sorted list of ranges that cover the whole span, without overlaps or gaps. */
export function coveringRanges<Item extends z.ZodType<Range>>(item: Item, span: Span) {
  return z
    .array(item)
    .min(1)
    .superRefine((ranges, context) => {
      for (const { index, key, message } of findFaults(ranges, span)) {
        context.addIssue({ code: 'custom', path: [index, key], message });
      }
    });
}

interface Fault {
  readonly index: number;
  readonly key: keyof Range;
  readonly message: string;
}

function findFaults(ranges: readonly Range[], span: Span): Fault[] {
  const faults: Fault[] = [];
  const add = (index: number, key: keyof Range, message: string) => faults.push({ index, key, message });
  let end: string | undefined = span.oldest;
  for (const [index, { since, until }] of ranges.entries()) {
    if (end === undefined) {
      add(index, 'since', `overlap: the previous range has no until, so it also covers ${since}`);
    } else {
      const order = compareNumbers(boundNumbers(since), boundNumbers(end));
      if (order > 0) add(index, 'since', `gap: no range covers ${end} up to ${since}`);
      if (order < 0 && index > 0) add(index, 'since', `overlap: two ranges cover ${since} up to ${end}`);
    }
    if (until !== undefined && compareNumbers(boundNumbers(since), boundNumbers(until)) >= 0) {
      add(index, 'until', `empty range: ${since} up to ${until}`);
    }
    end = until;
  }
  if (end !== undefined && compareNumbers(boundNumbers(end), after(span.newest)) < 0) {
    add(ranges.length - 1, 'until', `gap: no range covers ${end} up to the end of ${span.newest}`);
  }
  return faults;
}

function after(minor: string): VersionNumbers {
  const [major, number] = boundNumbers(minor);
  return [major, number + 1, 0];
}
