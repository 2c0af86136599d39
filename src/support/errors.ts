/** Exit statuses of failures that the user can act on (docs/releasing.md). 1 means a bug in kubeparcel. */
export const EXIT_STATUS = {
  /** An invalid flag or argument, or an invalid combination. */
  usage: 2,
  /** Invalid kubeparcel.yaml, packaging data, template or lock file. */
  config: 3,
  /** A server or mirror is unreachable or sent an invalid response. */
  network: 4,
  /** Content that does not match a digest, a signature or the lock. */
  verification: 5,
  /** A damaged, hostile or unexpected package, archive or binary. */
  format: 6,
  /** A file system error: permissions, space, paths. */
  io: 7,
  /** A check of a test scenario failed. */
  test: 8,
} as const;

export type FailureKind = keyof typeof EXIT_STATUS;

/**
 * An error that the user can act on. The command prints it without a stack trace and exits with the status of its kind.
 * Any other exception is a bug in kubeparcel.
 */
export class KubeparcelError extends Error {
  readonly kind: FailureKind;
  readonly where: string | undefined;
  readonly hint: string | undefined;

  /**
   * @param kind selects the exit status
   * @param what what went wrong: one sentence without a period and without the path
   * @param details.where file (with line number if known), URL or archive member
   * @param details.hint what the user can do: one sentence
   */
  constructor(
    kind: FailureKind,
    what: string,
    details: { where?: string | undefined; hint?: string | undefined; cause?: unknown } = {},
  ) {
    super(what, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'KubeparcelError';
    this.kind = kind;
    this.where = details.where;
    this.hint = details.hint;
  }

  /** Returns the same error with an outer location before its own, such as the package that contains a member. */
  within(where: string): KubeparcelError {
    return new KubeparcelError(this.kind, this.message, {
      where: this.where === undefined ? where : `${where}: ${this.where}`,
      hint: this.hint,
      cause: this,
    });
  }
}
