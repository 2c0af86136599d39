import { compareDigits, type PackageVersion } from '../model/package-version.ts';
import { KubeparcelError } from '../support/errors.ts';

const EPOCH_MAX = 2 ** 31 - 1;

/**
 * Parses [epoch:]upstream[-revision] (deb-version(7)). The revision of a native package is ''.
 *
 * @throws KubeparcelError of kind 'format'
 */
export function parseDebVersion(text: string): PackageVersion {
  const match = /^(?:(\d{1,10}):)?(\d[A-Za-z0-9.+~:-]*?)(?:-([A-Za-z0-9.+~]+))?$/.exec(text);
  const epoch = Number(match?.[1] ?? 0);
  const upstream = match?.[2];
  if (upstream === undefined || epoch > EPOCH_MAX || (upstream.includes(':') && match?.[1] === undefined)) {
    throw new KubeparcelError('format', `${JSON.stringify(text.slice(0, 100))} is not a valid Debian version`);
  }
  return { epoch, upstream, revision: match?.[3] ?? '' };
}

/**
 * Compares Debian versions as dpkg does (deb-version(7), "Sorting algorithm"): epoch, upstream version, revision; `~`
 * sorts before everything, even the end.
 *
 * @returns negative if `a` is earlier, 0 if they are equal (1.0 equals 1.0-0), positive if `a` is later
 * @throws KubeparcelError of kind 'format' for an invalid version
 */
export function compareDebVersions(a: string, b: string): number {
  const left = parseDebVersion(a);
  const right = parseDebVersion(b);
  return (
    left.epoch - right.epoch ||
    comparePart(left.upstream, right.upstream) ||
    comparePart(left.revision || '0', right.revision || '0')
  );
}

/** Compares runs of non-digits and runs of digits alternately. */
function comparePart(a: string, b: string): number {
  let left = a;
  let right = b;
  while (left !== '' || right !== '') {
    const leftText = /^\D*/.exec(left)?.[0] ?? '';
    const rightText = /^\D*/.exec(right)?.[0] ?? '';
    const byText = compareText(leftText, rightText);
    if (byText !== 0) return byText;
    left = left.slice(leftText.length);
    right = right.slice(rightText.length);
    const leftDigits = /^\d*/.exec(left)?.[0] ?? '';
    const rightDigits = /^\d*/.exec(right)?.[0] ?? '';
    const byNumber = compareDigits(leftDigits, rightDigits);
    if (byNumber !== 0) return byNumber;
    left = left.slice(leftDigits.length);
    right = right.slice(rightDigits.length);
  }
  return 0;
}

/** `~` sorts before the end, letters before other characters. */
function compareText(a: string, b: string): number {
  for (let at = 0; at < Math.max(a.length, b.length); at++) {
    const difference = rank(a, at) - rank(b, at);
    if (difference !== 0) return difference;
  }
  return 0;
}

function rank(text: string, at: number): number {
  const character = text[at];
  if (character === undefined) return 0;
  if (character === '~') return -1;
  return character.charCodeAt(0) + (/[A-Za-z]/.test(character) ? 0 : 256);
}
