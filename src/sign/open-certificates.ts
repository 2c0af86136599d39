import { readFile, stat } from 'node:fs/promises';
import type { Key } from 'openpgp';
import { KubeparcelError } from '../support/errors.ts';
import { fingerprintOf, readCertificates } from './certificate.ts';
import { gpgCertificate } from './gpg-signer.ts';
import { keyBytes, readSecretKeys } from './open-signers.ts';
import { type Environment, KEY_VARIABLE } from './secrets.ts';

const MAX_FILE_BYTES = 4 << 20;

/**
 * The public halves of keys, without a passphrase: of files with public or private keys, `gpg:FINGERPRINT`, or `env` for
 * the key in KUBEPARCEL_SIGNING_KEY, which is used when nothing is named. Each key once, in their order.
 *
 * @throws KubeparcelError of kind 'usage' when nothing is named, else as `openSigners`
 */
export async function openCertificates(specs: readonly string[], environment: Environment): Promise<Key[]> {
  const wanted = specs.length === 0 && (environment[KEY_VARIABLE] ?? '') !== '' ? ['env'] : specs;
  if (wanted.length === 0) {
    throw new KubeparcelError('usage', 'no key is named', {
      hint: `name a key file or gpg:FINGERPRINT, or put a key into ${KEY_VARIABLE}`,
    });
  }
  const found = new Map<string, Key>();
  for (const spec of wanted) {
    for (const key of await certificatesOf(spec, environment)) found.set(fingerprintOf(key), key);
  }
  return [...found.values()];
}

async function certificatesOf(spec: string, environment: Environment): Promise<Key[]> {
  if (spec.startsWith('gpg:')) return [await gpgCertificate(spec.slice(4), environment)];
  if (spec !== 'env') {
    const bytes = await readPublicFile(spec);
    if (!holdsPrivateKey(bytes)) return readCertificates(bytes, spec);
  }
  const [bytes, where] = await keyBytes(spec, environment);
  return (await readSecretKeys(bytes, where)).map((key) => key.toPublic());
}

async function readPublicFile(path: string): Promise<Uint8Array> {
  try {
    const facts = await stat(path);
    if (facts.isFile() && facts.size <= MAX_FILE_BYTES) return await readFile(path);
  } catch (cause) {
    throw new KubeparcelError('io', 'the key cannot be read', { where: path, cause });
  }
  throw new KubeparcelError('usage', 'this is no file with a key', { where: path });
}

/** An armor of one, or a first packet that is a secret key (RFC 9580, section 4.2: type 5, in either form of header). */
function holdsPrivateKey(bytes: Uint8Array): boolean {
  const first = bytes[0] ?? 0;
  if (first >= 0x80) return (first & 0x40) === 0 ? ((first >> 2) & 0xf) === 5 : (first & 0x3f) === 5;
  return Buffer.from(bytes).includes('-----BEGIN PGP PRIVATE KEY BLOCK-----');
}
