import { boundNumbers, compareNumbers, versionNumbers } from '../model/kubernetes-version.ts';

/** A half-open range of Kubernetes versions: includes `since`, excludes `until`; without `until` it has no end. */
export interface Range {
  readonly since: string;
  readonly until?: string | undefined;
}

/** The oldest and newest known Kubernetes minors. */
export interface Span {
  readonly oldest: string;
  readonly newest: string;
}

/** @returns the range that contains a release of Kubernetes */
export function rangeAt<Item extends Range>(ranges: readonly Item[], version: string): Item | undefined {
  const numbers = versionNumbers(version);
  return ranges.find(
    ({ since, until }) =>
      compareNumbers(numbers, boundNumbers(since)) >= 0 &&
      (until === undefined || compareNumbers(numbers, boundNumbers(until)) < 0),
  );
}

export function overlap(a: Range, b: Range): boolean {
  return startsBeforeEnd(a, b) && startsBeforeEnd(b, a);
}

function startsBeforeEnd(a: Range, b: Range): boolean {
  return b.until === undefined || compareNumbers(boundNumbers(a.since), boundNumbers(b.until)) < 0;
}
