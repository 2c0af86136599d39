/**
 * The kinds of failure that a person can act on; each has an exit status of its own (docs/exit-codes in the manual).
 * 1 is left to faults of kubeparcel itself.
 */
export const EXIT_STATUS = {
  /** A flag, an argument or a combination of them that cannot be. */
  usage: 2,
  /** kubeparcel.yaml, packaging data, a template or a lock file that does not say what it must. */
  config: 3,
  /** A server or a mirror could not be reached or did not answer as it must. */
  network: 4,
  /** Bytes that are not what a digest, a signature or the lock says they are. */
  verification: 5,
  /** A package, an archive or a binary that is damaged, hostile or of the wrong kind. */
  format: 6,
  /** The file system: permissions, space, paths. */
  io: 7,
  /** Packages that were tested and did not do what a scenario expects. */
  test: 8,
} as const;

export type FailureKind = keyof typeof EXIT_STATUS;

/**
 * An error for a person: what went wrong, where, and what to do about it. The command prints it without a stack trace
 * and ends with the exit status of its kind. Everything else that is thrown is a fault of kubeparcel.
 */
export class KubeparcelError extends Error {
  readonly kind: FailureKind;
  readonly where: string | undefined;
  readonly hint: string | undefined;

  /**
   * @param kind which exit status it ends with
   * @param what one sentence, no full stop, no path (that is `where`)
   * @param details.where the file, URL or member that it is about, with a line number where there is one
   * @param details.hint what the reader can do, one sentence
   */
  constructor(kind: FailureKind, what: string, details: { where?: string; hint?: string; cause?: unknown } = {}) {
    super(what, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'KubeparcelError';
    this.kind = kind;
    this.where = details.where;
    this.hint = details.hint;
  }
}
