import { createHash } from 'node:crypto';

export type DigestAlgorithm = 'sha256' | 'sha512';

/** The digest that a publisher states for a file: SHA-256, or SHA-512 where there is no SHA-256. Lower-case hex digits. */
export type PublishedDigest =
  | { readonly sha256: string; readonly sha512?: undefined }
  | { readonly sha256?: undefined; readonly sha512: string };

export function algorithmOf({ sha256 }: PublishedDigest): DigestAlgorithm {
  return sha256 === undefined ? 'sha512' : 'sha256';
}

export function sha256(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}
