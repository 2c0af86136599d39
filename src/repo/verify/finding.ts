/**
 * - missing: a file named by an index or the state does not exist
 * - changed: a file's digest or size differs from what an index or the state says
 * - signature: a signature is missing or not valid
 * - index: an index is unreadable or contradicts the state
 * - expired: Valid-Until has passed
 * - left-over: a file that neither an index nor the state names
 * - link: a package is a second copy instead of a hard link; it only wastes space
 * - note: information, not a fault
 */
export type VerifyFindingKind =
  | 'missing'
  | 'changed'
  | 'signature'
  | 'index'
  | 'expired'
  | 'left-over'
  | 'link'
  | 'note';

export interface VerifyFinding {
  readonly kind: VerifyFindingKind;
  /** Relative to the repository. */
  readonly path: string;
  /** One sentence without a full stop. */
  readonly what: string;
}

/** Whether a repository with this finding must not be used. */
export function isFault({ kind }: VerifyFinding): boolean {
  return kind !== 'link' && kind !== 'note';
}

/** Result of a verification. A repository without faults may be published. */
export interface VerifyReport {
  /** Sorted by path. */
  readonly findings: readonly VerifyFinding[];
  readonly packages: number;
  readonly views: number;
  /** Number of indices, signatures and keys that were read. */
  readonly files: number;
  /** Fingerprints of the keys with valid signatures. */
  readonly keys: readonly string[];
  /** Whether the repository's own keys were used, which proves integrity but not origin. */
  readonly ownKeys: boolean;
}

/** Sorts by path and removes duplicates. */
export function sortedFindings(findings: readonly VerifyFinding[]): VerifyFinding[] {
  return [...findings]
    .sort((a, b) => (a.path === b.path ? (a.what < b.what ? -1 : 1) : a.path < b.path ? -1 : 1))
    .filter((each, at, all) => each.path !== all[at - 1]?.path || each.what !== all[at - 1]?.what);
}
