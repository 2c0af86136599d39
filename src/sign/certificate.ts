import { type Config, config, enums, type Key, readKeys, type Subkey } from 'openpgp';
import { KubeparcelError } from '../support/errors.ts';
import { markNothingCritical } from './critical-subpackets.ts';

markNothingCritical();

/** The configuration for all calls of openpgp.js. */
export const OPENPGP_CONFIG: Config = {
  ...config,
  // A random salt notation would make signatures irreproducible. The salt protects against hardware faults during EdDSA
  // signing and against collisions of weak hashes, which are not used here.
  nonDeterministicSignaturesViaNotation: false,
  // Supported by every rpm since EL7 and every apt.
  preferredHashAlgorithm: enums.hash.sha256,
  showVersion: false,
  showComment: false,
};

/** The signing key or subkey of a certificate. Times in seconds since 1970-01-01 UTC. */
export interface SigningKey {
  /** Of the key or subkey that signs, upper-case hex. */
  readonly fingerprint: string;
  readonly key: Key | Subkey;
  readonly algorithm: string;
  readonly validFrom: number;
  /** The earlier of its own and the primary key's expiry; undefined if neither expires. */
  readonly expires: number | undefined;
}

/** Larger than any real certificate, unless it is flooded with third-party certifications. */
const MAX_CERTIFICATE_BYTES = 4 << 20;

/**
 * Reads one or more certificates (public keys), ASCII-armored or binary. Rejects private keys.
 *
 * @param where the file's name, for errors
 * @throws KubeparcelError of kind 'format' if there is no certificate, 'usage' for a private key
 */
export async function readCertificates(bytes: Uint8Array | string, where: string): Promise<Key[]> {
  const tooLong = bytes.length > MAX_CERTIFICATE_BYTES;
  let keys: Key[] = [];
  let cause: unknown;
  try {
    const text = typeof bytes === 'string' ? bytes : asArmor(bytes);
    if (tooLong) {
      cause = new Error('too long');
    } else if (text === undefined && typeof bytes !== 'string') {
      keys = await readKeys({ binaryKeys: bytes, config: OPENPGP_CONFIG });
    } else {
      keys = (await Promise.all(armorBlocks(text ?? '').map(readArmored))).flat();
    }
  } catch (error) {
    cause = error;
  }
  if (keys.length === 0) {
    throw new KubeparcelError('format', 'not an OpenPGP public key', {
      where,
      hint: 'expected a key written by kubeparcel keys export or gpg --export',
      cause,
    });
  }
  if (keys.some((key) => key.isPrivate())) {
    throw new KubeparcelError('usage', 'expected a public key, found a private key', {
      where,
      hint: 'export the public key with kubeparcel keys export, and keep this file secret',
    });
  }
  return keys;
}

function readArmored(armoredKeys: string): Promise<Key[]> {
  return readKeys({ armoredKeys, config: OPENPGP_CONFIG });
}

/** All armored blocks of a file; openpgp.js reads only the first. */
export function armorBlocks(text: string): string[] {
  return text.match(/-----BEGIN PGP (PUBLIC|PRIVATE) KEY BLOCK-----[\s\S]*?-----END PGP \1 KEY BLOCK-----/g) ?? [];
}

function asArmor(bytes: Uint8Array): string | undefined {
  // The first byte of a packet has its highest bit set (RFC 9580, section 4.2); armor is ASCII.
  return (bytes[0] ?? 0) >= 0x80 ? undefined : Buffer.from(bytes).toString('latin1');
}

/**
 * Chooses the signing key like gpg: the newest valid signing subkey, or the primary key.
 *
 * @param date seconds since 1970-01-01 UTC at which it must be valid
 * @param hasSecret whether the secret key is available, by upper-case fingerprint
 * @throws KubeparcelError of kind 'usage' if the certificate is expired or revoked, or cannot sign
 */
export async function chooseSigningKey(
  certificate: Key,
  date: number,
  hasSecret: (fingerprint: string) => boolean = () => true,
): Promise<SigningKey> {
  const at = new Date(date * 1000);
  const newestFirst = [...certificate.subkeys].sort(
    (a, b) => b.getCreationTime().getTime() - a.getCreationTime().getTime(),
  );
  const candidates = [...newestFirst, certificate].filter((key) => hasSecret(fingerprintOf(key)));
  let cause: unknown;
  for (const candidate of candidates) {
    try {
      const key = await certificate.getSigningKey(candidate.getKeyID(), at, undefined, OPENPGP_CONFIG);
      if (fingerprintOf(key) === fingerprintOf(candidate)) return await describe(certificate, key, at);
    } catch (error) {
      cause = error;
    }
  }
  throw unusable(certificate, candidates.length, cause);
}

/** Upper-case hex. */
export function fingerprintOf(key: Key | Subkey): string {
  return key.getFingerprint().toUpperCase();
}

/** The primary user ID, or the first one if none is valid. */
export async function userIdOf(certificate: Key): Promise<string> {
  try {
    const { user } = await certificate.getPrimaryUser(undefined, undefined, OPENPGP_CONFIG);
    return user.userID?.userID ?? '';
  } catch {
    return certificate.getUserIDs()[0] ?? '';
  }
}

/** `rsa4096`, `ed25519`, `ecdsa-nistP256`; algorithms new in RFC 9580 have the suffix `-rfc9580`. */
export function algorithmOf(key: Key | Subkey): string {
  const { algorithm, bits, curve } = key.getAlgorithmInfo();
  if (algorithm.startsWith('rsa')) return `rsa${bits}`;
  if (algorithm === 'eddsaLegacy') return 'ed25519';
  if (algorithm === 'ed25519' || algorithm === 'ed448') return `${algorithm}-rfc9580`;
  if (algorithm === 'dsa') return `dsa${bits ?? ''}`;
  return curve === undefined ? algorithm : `${algorithm}-${curve}`;
}

async function describe(certificate: Key, key: Key | Subkey, at: Date): Promise<SigningKey> {
  const expiryTimes = [await certificate.getExpirationTime(undefined, OPENPGP_CONFIG)];
  if (!isPrimary(key)) expiryTimes.push(await key.getExpirationTime(at, OPENPGP_CONFIG));
  const expires = Math.min(
    ...expiryTimes.map((end) => (end instanceof Date ? end.getTime() / 1000 : Number.POSITIVE_INFINITY)),
  );
  return {
    fingerprint: fingerprintOf(key),
    key,
    algorithm: algorithmOf(key),
    validFrom: validFrom(certificate, key),
    expires: Number.isFinite(expires) ? expires : undefined,
  };
}

function isPrimary(key: Key | Subkey): key is Key {
  return !('mainKey' in key);
}

function validFrom(certificate: Key, key: Key | Subkey): number {
  const certifications = certificate.users.flatMap(({ selfCertifications }) => selfCertifications);
  const startTimes = [
    certificate.getCreationTime().getTime(),
    key.getCreationTime().getTime(),
    earliest(certifications),
    isPrimary(key) ? 0 : earliest(key.bindingSignatures),
  ];
  return Math.ceil(Math.max(...startTimes) / 1000);
}

function earliest(signatures: readonly { readonly created: Date | null }[]): number {
  const times = signatures.map(({ created }) => created?.getTime() ?? 0);
  return times.length === 0 ? 0 : Math.min(...times);
}

function unusable(certificate: Key, candidates: number, cause: unknown): KubeparcelError {
  const where = fingerprintOf(certificate);
  const reason = cause instanceof Error ? cause.message : '';
  if (/revoked/i.test(reason)) {
    return new KubeparcelError('usage', 'the signing key is revoked', { where, hint: 'sign with another key', cause });
  }
  if (/expired/i.test(reason)) {
    return new KubeparcelError('usage', 'the signing key has expired', {
      where,
      hint: 'extend it with gpg --quick-set-expire and distribute the public key again, or sign with another key',
      cause,
    });
  }
  if (candidates === 0) {
    return new KubeparcelError('usage', 'the secret key is missing', {
      where,
      hint: 'export it with gpg --export-secret-keys, or use gpg:FINGERPRINT for a key on a smart card or in an agent',
      cause,
    });
  }
  return new KubeparcelError('usage', 'the key cannot sign', {
    where,
    hint: 'use a signing key (see kubeparcel keys check FILE) or create one with kubeparcel keys new',
    cause,
  });
}

export type KeyForm = 'binary' | 'armored';

/**
 * A file with public keys: concatenated packets (apt's Signed-By, .gpg), or ASCII-armored (rpm --import, apt's .asc).
 */
export function publicKeyFile(certificates: readonly Key[], form: KeyForm): Uint8Array {
  if (form === 'binary') return Buffer.concat(certificates.map((each) => each.toPublic().write()));
  // One armored block per key, as rpm --import expects.
  return Buffer.from(certificates.map((each) => armored(each.toPublic())).join(''));
}

/** ASCII armor with LF line endings and the checksum that rpm requires (optional in RFC 9580). */
export function armored(key: Key): string {
  return key.armor(OPENPGP_CONFIG).replaceAll('\r\n', '\n');
}
