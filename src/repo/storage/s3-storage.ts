import { ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { KubeparcelError } from '../../support/errors.ts';
import type { ListedFile } from './files.ts';
import { s3Failure } from './s3-failure.ts';

const ATTEMPTS = 5;

export interface S3Location {
  readonly bucket: string;
  /** Without slashes at its ends; '' for the whole bucket. */
  readonly prefix: string;
  /** URL of a storage that is not Amazon's. */
  readonly endpoint?: string | undefined;
  readonly region?: string | undefined;
}

/**
 * The place that `s3://BUCKET/PREFIX` means.
 *
 * @throws KubeparcelError of kind 'usage' for what is none
 */
export function s3Location(text: string, options: Pick<S3Location, 'endpoint' | 'region'>): S3Location {
  const [, bucket, prefix = ''] = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/.exec(text) ?? [];
  if (bucket === undefined || /(^|\/)\.{0,2}\/|(^|\/)\.{1,2}$/.test(prefix)) {
    throw new KubeparcelError('usage', 'not a place in S3', { where: text, hint: 'write s3://BUCKET/PREFIX' });
  }
  return { bucket, prefix: prefix.replace(/\/+$/, ''), endpoint: options.endpoint, region: options.region };
}

export interface Storage {
  /** For people: s3://bucket/prefix */
  readonly name: string;
  readonly client: S3Client;
  readonly bucket: string;
  /** The key of a path; of '' what all keys begin with. */
  readonly keyOf: (path: string) => string;
}

/** Credentials are where Amazon's own tools look for them: environment, ~/.aws, the machine's role. */
export function openStorage({ bucket, prefix, endpoint, region }: S3Location): Storage {
  const elsewhere = endpoint ?? process.env.AWS_ENDPOINT_URL_S3 ?? process.env.AWS_ENDPOINT_URL;
  // This version of the SDK runs on Node 20, and is pinned for it; its word about later ones is not for our users.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
  const client = new S3Client({
    maxAttempts: ATTEMPTS,
    // Content-MD5 says the same, and every storage knows it.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    ...(elsewhere === undefined ? {} : { endpoint: elsewhere, forcePathStyle: true }),
    ...(region === undefined
      ? elsewhere === undefined
        ? {}
        : { region: process.env.AWS_REGION ?? 'us-east-1' }
      : { region }),
  });
  return {
    name: `s3://${[bucket, prefix].filter((part) => part !== '').join('/')}`,
    client,
    bucket,
    keyOf: (path) => (prefix === '' ? path : `${prefix}/${path}`),
  };
}

/** Runs a request; its failures are said for people. */
export async function attempt<T>(where: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw s3Failure(error, where);
  }
}

/** All objects below the prefix; digests are their entity tags. */
export async function listObjects(
  { client, bucket, keyOf }: Storage,
  signal: AbortSignal | undefined,
): Promise<ListedFile[]> {
  const files: ListedFile[] = [];
  const start = keyOf('');
  for (let token: string | undefined, more = true; more; ) {
    const page = await client.send(
      new ListObjectsV2Command({ Bucket: bucket, Prefix: start, ContinuationToken: token }),
      aborted(signal),
    );
    for (const { Key: key, Size: size, ETag: tag } of page.Contents ?? []) {
      if (key === undefined || size === undefined || key.endsWith('/')) continue;
      files.push({ path: key.slice(start.length), size, digest: plainTag(tag) });
    }
    token = page.NextContinuationToken;
    more = page.IsTruncated === true && token !== undefined;
  }
  return files;
}

export function plainTag(tag: string | undefined): string | undefined {
  return tag?.replace(/^"|"$/g, '');
}

export function aborted(signal: AbortSignal | undefined): { abortSignal: AbortSignal } | undefined {
  return signal === undefined ? undefined : { abortSignal: signal };
}
