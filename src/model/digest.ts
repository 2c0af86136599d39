import { createHash } from 'node:crypto';
/** `value`: lower-case hex digits, 64 or 128. */
export interface Digest {
  readonly algorithm: 'sha256' | 'sha512';
  readonly value: string;
}

export function sha256(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}
