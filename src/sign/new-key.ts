import { generateKey, type UserID } from 'openpgp';
import { KubeparcelError } from '../support/errors.ts';
import { armored, fingerprintOf, OPENPGP_CONFIG } from './certificate.ts';

export const KEY_ALGORITHMS = ['rsa4096', 'ed25519'] as const;
export type KeyAlgorithm = (typeof KEY_ALGORITHMS)[number];

export interface NewKeyRequest {
  /** `Name <address>`, or either. */
  readonly userId: string;
  readonly algorithm: KeyAlgorithm;
  /** Seconds from `date` until the key ends; 0 for one that never does. */
  readonly lifetime: number;
  /** Locks the private key; undefined for one that everybody who has the file can use. */
  readonly passphrase: string | undefined;
  /** When it is made, seconds since 1970-01-01 UTC. */
  readonly date: number;
}

export interface NewKey {
  /** Upper-case hex. */
  readonly fingerprint: string;
  /** All three ASCII-armored. */
  readonly privateKey: string;
  readonly publicKey: string;
  /** Takes the key back once it is published (gpg --import). */
  readonly revocation: string;
}

/**
 * Makes an OpenPGP key of version 4 whose primary key signs, without subkeys: what every rpm and apt reads. RSA with 4096
 * bits for all of them, Ed25519 (EdDSALegacy, as GnuPG 2 has it) for the newer ones.
 *
 * @throws KubeparcelError of kind 'usage' for a user ID that is none
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

function parseUserId(userId: string): UserID {
  const { name, email } = /^(?<name>[^<>]*?)(?: ?<(?<email>[^<>\s]+@[^<>\s]+)>)?$/.exec(userId)?.groups ?? {};
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
  if (((name === undefined || name === '') && email === undefined) || /[\u0000-\u001f\u007f]/.test(userId)) {
    throw new KubeparcelError('usage', `invalid user ID ${JSON.stringify(userId)}`, {
      hint: 'expected a user ID like "Example packages <packages@example.org>"',
    });
  }
  return { ...(name ? { name } : {}), ...(email === undefined ? {} : { email }) };
}
