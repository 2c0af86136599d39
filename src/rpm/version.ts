import { compareDigits } from '../model/package-version.ts';

/** Epoch, version and release of an RPM package or of a relation. */
export interface Evr {
  readonly epoch: number | undefined;
  readonly version: string;
  readonly release: string | undefined;
}

/** Parses `[EPOCH:]VERSION[-RELEASE]`. Accepts any string, like rpm's parseEVR. */
export function parseEvr(text: string): Evr {
  const [, epoch, rest = ''] = /^(?:(\d*):)?(.*)$/s.exec(text) ?? [];
  const dash = rest.lastIndexOf('-');
  return {
    // An empty epoch before the colon is 0.
    epoch: epoch === undefined ? undefined : Number(epoch),
    version: dash < 0 ? rest : rest.slice(0, dash),
    release: dash < 0 ? undefined : rest.slice(dash + 1),
  };
}

/**
 * Compares versions or releases like rpm's rpmvercmp(): runs of digits and of letters alternately, separators ignored.
 * Numbers sort after letters, `~` before everything (even the end), `^` after the end but before everything else.
 *
 * @returns negative if `a` is earlier, 0 if they are equal, positive if `a` is later
 */
export function compareRpmVersions(a: string, b: string): number {
  let left = a;
  let right = b;
  for (;;) {
    left = left.replace(/^[^A-Za-z0-9~^]+/, '');
    right = right.replace(/^[^A-Za-z0-9~^]+/, '');
    if (left.startsWith('~') || right.startsWith('~')) {
      if (!left.startsWith('~')) return 1;
      if (!right.startsWith('~')) return -1;
      left = left.slice(1);
      right = right.slice(1);
      continue;
    }
    if (left.startsWith('^') || right.startsWith('^')) {
      if (left === '') return -1;
      if (right === '') return 1;
      if (!left.startsWith('^')) return 1;
      if (!right.startsWith('^')) return -1;
      left = left.slice(1);
      right = right.slice(1);
      continue;
    }
    if (left === '' || right === '') return Math.sign(left.length - right.length);
    const isNumber = /^\d/.test(left);
    const run = isNumber ? /^\d*/ : /^[A-Za-z]*/;
    const leftRun = run.exec(left)?.[0] ?? '';
    const rightRun = run.exec(right)?.[0] ?? '';
    // One run is a number, the other is not.
    if (rightRun === '') return isNumber ? 1 : -1;
    const difference = isNumber ? compareDigits(leftRun, rightRun) : compareBytewise(leftRun, rightRun);
    if (difference !== 0) return Math.sign(difference);
    left = left.slice(leftRun.length);
    right = right.slice(rightRun.length);
  }
}

/** Compares `[EPOCH:]VERSION[-RELEASE]`. A missing epoch is 0; a missing release equals any (rpmVersionCompare). */
export function compareEvr(a: string, b: string): number {
  const left = parseEvr(a);
  const right = parseEvr(b);
  const byEpoch = (left.epoch ?? 0) - (right.epoch ?? 0);
  if (byEpoch !== 0) return byEpoch;
  const byVersion = compareRpmVersions(left.version, right.version);
  if (byVersion !== 0 || left.release === undefined || right.release === undefined) return byVersion;
  return compareRpmVersions(left.release, right.release);
}

function compareBytewise(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}
