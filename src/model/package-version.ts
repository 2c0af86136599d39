export interface PackageVersion {
  /** 0 if there is none. */
  readonly epoch: number;
  /** Contains no `-`. Pre-releases use `~` (1.37.0~rc.1), which sorts before the release in both formats. */
  readonly upstream: string;
  /** DEB revision, RPM release. */
  readonly revision: string;
}

/** [epoch:]upstream-revision */
export function formatVersion({ epoch, upstream, revision }: PackageVersion): string {
  return `${epoch === 0 ? '' : `${epoch}:`}${upstream}${revision === '' ? '' : `-${revision}`}`;
}

/** Compares decimal numbers of any length; the empty string is 0. */
export function compareDigits(a: string, b: string): number {
  const left = a.replace(/^0+/, '');
  const right = b.replace(/^0+/, '');
  return left.length - right.length || (left === right ? 0 : left < right ? -1 : 1);
}
