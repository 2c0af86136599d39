import { KubeparcelError } from '../../support/errors.ts';

const TODOS: Readonly<Record<string, string>> = {
  AccessDenied: 'give these credentials the right to list, read, write and delete objects there',
  CredentialsProviderError: 'set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE',
  InvalidAccessKeyId: 'check AWS_ACCESS_KEY_ID',
  NoSuchBucket: 'make the bucket first; publish does not',
  PermanentRedirect: "name the bucket's own region with --region",
  SignatureDoesNotMatch: 'check AWS_SECRET_ACCESS_KEY and the clock',
};

/**
 * What a person has to know of a failure of the storage. The message is the storage's; requests and credentials are
 * not in it.
 */
export function s3Failure(error: unknown, where: string): unknown {
  if (!(error instanceof Error) || error instanceof KubeparcelError || error.name === 'AbortError') return error;
  // Of the file system, with a path.
  if ('syscall' in error && 'path' in error) return error;
  if ('code' in error && typeof error.code === 'string') {
    return new KubeparcelError('network', `the storage cannot be reached (${error.code})`, {
      where,
      hint: 'check --endpoint, and that something answers there',
      cause: error,
    });
  }
  const hint = TODOS[error.name];
  const said = error.message === '' || error.message === 'UnknownError' ? '' : `: ${error.message.replace(/\.$/, '')}`;
  return new KubeparcelError('network', `the storage refused (${error.name})${said}`, {
    where,
    cause: error,
    ...(hint === undefined ? {} : { hint }),
  });
}
