import { ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { KubeparcelError } from '../../support/errors.ts';
import type { ListedFile } from './list-files.ts';

const ATTEMPTS = 5;

export interface S3Location {
  readonly bucket: string;
  /** Without leading and trailing slashes; '' for the whole bucket. */
  readonly prefix: string;
  /** URL of an S3-compatible storage other than AWS. */
  readonly endpoint?: string | undefined;
  readonly region?: string | undefined;
}

/**
 * Parses `s3://BUCKET/PREFIX`.
 *
 * @throws KubeparcelError of kind 'usage' if it is invalid
 */
export function s3Location(text: string, options: Pick<S3Location, 'endpoint' | 'region'>): S3Location {
  const [, bucket, prefix = ''] = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/.exec(text) ?? [];
  if (bucket === undefined || /(^|\/)\.{0,2}\/|(^|\/)\.{1,2}$/.test(prefix)) {
    throw new KubeparcelError('usage', 'invalid S3 location', {
      where: text,
      hint: 'use s3://BUCKET/PREFIX; the name of a bucket has 3 to 63 characters',
    });
  }
  return { bucket, prefix: prefix.replace(/\/+$/, ''), endpoint: options.endpoint, region: options.region };
}

/** A prefix in a bucket. Credentials come from the same places as for the AWS tools: environment, ~/.aws, instance role. */
export class S3Storage {
  /** For messages: s3://bucket/prefix */
  readonly name: string;
  readonly client: S3Client;
  readonly bucket: string;
  readonly #prefix: string;

  constructor({ bucket, prefix, endpoint, region }: S3Location) {
    const url = endpoint ?? process.env.AWS_ENDPOINT_URL_S3 ?? process.env.AWS_ENDPOINT_URL;
    // The SDK is pinned to a version that supports Node 20; hide its deprecation warning from users.
    process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
    const isDefaultRegion = region === undefined && url !== undefined;
    this.client = new S3Client({
      maxAttempts: ATTEMPTS,
      // Uploads have Content-MD5, which every storage supports.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      ...(url !== undefined && { endpoint: url, forcePathStyle: true }),
      ...(region !== undefined && { region }),
      ...(isDefaultRegion && { region: process.env.AWS_REGION ?? 'us-east-1' }),
    });
    this.name = `s3://${[bucket, prefix].filter((part) => part !== '').join('/')}`;
    this.bucket = bucket;
    this.#prefix = prefix;
  }

  /** The key of a path; for '' the common prefix of all keys. */
  keyOf(path: string): string {
    return this.#prefix === '' ? path : `${this.#prefix}/${path}`;
  }

  /** All objects below the prefix. Their digests are entity tags. */
  async list(signal: AbortSignal | undefined): Promise<ListedFile[]> {
    const files: ListedFile[] = [];
    const start = this.keyOf('');
    for (let token: string | undefined, more = true; more; ) {
      const page = await this.client.send(
        new ListObjectsV2Command({ Bucket: this.bucket, Prefix: start, ContinuationToken: token }),
        abortOn(signal),
      );
      for (const { Key: key, Size: size, ETag: tag } of page.Contents ?? []) {
        if (key === undefined || size === undefined || key.endsWith('/')) continue;
        files.push({ path: key.slice(start.length), size, digest: unquotedTag(tag) });
      }
      token = page.NextContinuationToken;
      more = page.IsTruncated === true && token !== undefined;
    }
    return files;
  }
}

export function unquotedTag(tag: string | undefined): string | undefined {
  return tag?.replace(/^"|"$/g, '');
}

/** Request options that abort with the signal. */
export function abortOn(signal: AbortSignal | undefined): { abortSignal: AbortSignal } | undefined {
  return signal === undefined ? undefined : { abortSignal: signal };
}

/** Runs requests and converts their failures to KubeparcelError. */
export async function withS3Failure<T>(where: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw s3Failure(error, where);
  }
}

const HINTS: Readonly<Record<string, string>> = {
  AccessDenied: 'grant these credentials permission to list, read, write and delete objects there',
  CredentialsProviderError: 'set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE',
  InvalidAccessKeyId: 'check AWS_ACCESS_KEY_ID',
  NoSuchBucket: 'create the bucket first',
  PermanentRedirect: 'specify the region of the bucket with --region',
  SignatureDoesNotMatch: 'check AWS_SECRET_ACCESS_KEY and the system clock',
};

/** Keeps the message of the storage, which contains neither requests nor credentials. */
function s3Failure(error: unknown, where: string): unknown {
  if (!(error instanceof Error) || error instanceof KubeparcelError || error.name === 'AbortError') return error;
  const isFileSystemError = 'syscall' in error && 'path' in error;
  if (isFileSystemError) return error;
  if ('code' in error && typeof error.code === 'string') {
    return new KubeparcelError('network', `cannot reach the storage (${error.code})`, {
      where,
      hint: 'check --endpoint and whether the storage is running',
      cause: error,
    });
  }
  const detail =
    error.message === '' || error.message === 'UnknownError' ? '' : `: ${error.message.replace(/\.$/, '')}`;
  return new KubeparcelError('network', `the storage returned an error (${error.name})${detail}`, {
    where,
    cause: error,
    hint: HINTS[error.name],
  });
}
