import { generateKey, type UserID } from 'openpgp';
import { KubeparcelError } from '../support/errors.ts';
import { armored, fingerprintOf, OPENPGP_CONFIG } from './certificate.ts';

export const KEY_ALGORITHMS = ['rsa4096', 'ed25519'] as const;
export type KeyAlgorithm = (typeof KEY_ALGORITHMS)[number];

export interface NewKeyRequest {
  /** `Name <address>`, or either. */
  readonly userId: string;
  readonly algorithm: KeyAlgorithm;
  /** Seconds from `date` until the key expires; 0 if it never expires. */
  readonly lifetime: number;
  /** Protects the private key; undefined to store it unprotected. */
  readonly passphrase: string | undefined;
  /** Creation time, seconds since 1970-01-01 UTC. */
  readonly date: number;
}

export interface NewKey {
  /** Upper-case hex. */
  readonly fingerprint: string;
  /** ASCII-armored, like the next two. */
  readonly privateKey: string;
  readonly publicKey: string;
  /** Revocation certificate (gpg --import). */
  readonly revocation: string;
}

/**
 * Creates a version 4 OpenPGP key whose primary key signs, without subkeys. RSA 4096 works with every rpm and apt; Ed25519
 * (EdDSALegacy, as in GnuPG 2) with newer versions.
 *
 * @throws KubeparcelError of kind 'usage' for an invalid user ID
 */
export async function newKey({ userId, algorithm, lifetime, passphrase, date }: NewKeyRequest): Promise<NewKey> {
  const { privateKey, publicKey, revocationCertificate } = await generateKey({
    userIDs: parseUserId(userId),
    ...(algorithm === 'rsa4096' ? { type: 'rsa', rsaBits: 4096 } : { type: 'ecc', curve: 'ed25519Legacy' }),
    subkeys: [],
    ...(lifetime === 0 ? {} : { keyExpirationTime: lifetime }),
    ...(passphrase === undefined ? {} : { passphrase }),
    date: new Date(date * 1000),
    format: 'object',
    config: OPENPGP_CONFIG,
  });
  return {
    fingerprint: fingerprintOf(publicKey),
    privateKey: armored(privateKey),
    publicKey: armored(publicKey),
    revocation: revocationCertificate.replaceAll('\r\n', '\n'),
  };
}

/** The addresses that openpgp.js accepts. */
const ADDRESS = /^[^\p{C}\p{Z}@<>\\]+@[^\p{C}\p{Z}@<>\\]+[^\p{C}\p{Z}\p{P}]$/u;

function parseUserId(userId: string): UserID {
  const { name, email } = /^(?<name>[^<>]*?)(?: ?<(?<email>[^<>\s]+@[^<>\s]+)>)?$/.exec(userId)?.groups ?? {};
  const isEmpty = (name === undefined || name === '') && email === undefined;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: rejects control characters
  if (isEmpty || (email !== undefined && !ADDRESS.test(email)) || /[\u0000-\u001f\u007f]/.test(userId)) {
    throw new KubeparcelError('usage', `invalid user ID ${JSON.stringify(userId)}`, {
      hint: 'expected a user ID like "Example packages <packages@example.org>"',
    });
  }
  return { ...(name ? { name } : {}), ...(email === undefined ? {} : { email }) };
}
