import { readFile, stat } from 'node:fs/promises';
import { decryptKey, type Key, type PrivateKey, readPrivateKeys } from 'openpgp';
import { KubeparcelError } from '../support/errors.ts';
import { armorBlocks, fingerprintOf, OPENPGP_CONFIG, readCertificates } from './certificate.ts';
import { gpgCertificate, gpgSigner } from './gpg-signer.ts';
import { openpgpSigner } from './openpgp-signer.ts';
import {
  type Environment,
  KEY_VARIABLE,
  PASSPHRASE_VARIABLE,
  type PassphraseSource,
  readKeyFile,
  readPassphrases,
} from './secrets.ts';
import type { Signer } from './signer.ts';

export interface OpenSignersOptions extends PassphraseSource {
  readonly environment?: Environment | undefined;
  /** Time at which the keys must be valid, seconds since 1970-01-01 UTC; default: the current time. */
  readonly now?: number | undefined;
  /** Prompts for the passphrase of a key if none of the given ones unlocks it. */
  readonly ask?: ((key: string) => Promise<string>) | undefined;
}

/**
 * Opens keys for signing, in the given order. The first one is used where only one signature is possible.
 *
 * @param specs each the path of a file with one or more private keys, `gpg:FINGERPRINT` for a key that gpg can use, or `env`
 *   for the armored keys in KUBEPARCEL_SIGNING_KEY. If empty, that variable is used if it is set
 * @returns at least one signer if a spec is given or the variable is set, otherwise none
 * @throws KubeparcelError of kind 'usage' for a key that is expired, revoked, locked with another passphrase, or cannot
 *   sign; 'io' for an unreadable file
 */
export async function openSigners(specs: readonly string[], options: OpenSignersOptions = {}): Promise<Signer[]> {
  const { environment = process.env, now = Math.floor(Date.now() / 1000) } = options;
  const requested = specs.length === 0 && (environment[KEY_VARIABLE] ?? '') !== '' ? ['env'] : specs;
  const passphrases = requested.length === 0 ? [] : await readPassphrases(options, environment);
  const signers: Signer[] = [];
  for (const spec of requested) {
    if (spec.startsWith('gpg:')) {
      signers.push(await gpgSigner(spec.slice(4), { now, passphrase: passphrases[0], environment }));
    } else {
      const [bytes, where] = await keyBytes(spec, environment);
      for (const key of await readSecretKeys(bytes, where)) {
        signers.push(await openpgpSigner(await unlock(key, passphrases, where, options.ask), now));
      }
    }
  }
  const duplicate = signers.find(
    ({ fingerprint }, at) => signers.findIndex((s) => s.fingerprint === fingerprint) !== at,
  );
  if (duplicate !== undefined) {
    throw new KubeparcelError('usage', 'the same key is given twice', { where: duplicate.fingerprint });
  }
  return signers;
}

/** The bytes of a spec of `openSigners` other than `gpg:`, and their location for errors. */
async function keyBytes(spec: string, environment: Environment): Promise<[bytes: Uint8Array, where: string]> {
  if (spec !== 'env') return [await readKeyFile(spec), spec];
  const text = environment[KEY_VARIABLE];
  if (text === undefined || text === '') {
    throw new KubeparcelError('usage', 'the environment variable is not set', {
      where: KEY_VARIABLE,
      hint: 'set it to an ASCII-armored private key, or use a key file with --key',
    });
  }
  return [Buffer.from(text), KEY_VARIABLE];
}

/** @throws KubeparcelError of kind 'format' if there is no private key */
async function readSecretKeys(bytes: Uint8Array, where: string): Promise<PrivateKey[]> {
  const isBinary = (bytes[0] ?? 0) >= 0x80;
  let keys: PrivateKey[] = [];
  try {
    if (isBinary) {
      keys = await readPrivateKeys({ binaryKeys: bytes, config: OPENPGP_CONFIG });
    } else {
      const blocks = armorBlocks(Buffer.from(bytes).toString('latin1')).filter((block) => block.includes(' PRIVATE '));
      const read = (armoredKeys: string) => readPrivateKeys({ armoredKeys, config: OPENPGP_CONFIG });
      keys = (await Promise.all(blocks.map(read))).flat();
    }
  } catch {
    // The cause is left out: the message of the parser may quote secret data.
  }
  if (keys.length === 0) {
    throw new KubeparcelError('format', 'no OpenPGP private key in the file', {
      where,
      hint: 'expected a key written by kubeparcel keys new or gpg --export-secret-keys --armor',
    });
  }
  return keys;
}

async function unlock(
  key: PrivateKey,
  passphrases: readonly string[],
  where: string,
  ask: OpenSignersOptions['ask'],
): Promise<PrivateKey> {
  if (isUnlocked(key)) return key;
  const unlocked = await tryToUnlock(key, passphrases);
  if (unlocked !== undefined) return unlocked;
  const name = `key ${fingerprintOf(key)}`;
  const prompted = ask === undefined ? [] : [await ask(name)];
  const unlockedByPrompt = await tryToUnlock(key, prompted);
  if (unlockedByPrompt !== undefined) return unlockedByPrompt;
  const noneTried = passphrases.length + prompted.length === 0;
  throw new KubeparcelError(
    'usage',
    noneTried ? 'the signing key needs a passphrase' : 'wrong passphrase for the signing key',
    { where: `${where}, ${name}`, hint: `set ${PASSPHRASE_VARIABLE}, or use --passphrase-file` },
  );
}

async function tryToUnlock(key: PrivateKey, passphrases: readonly string[]): Promise<PrivateKey | undefined> {
  if (passphrases.length === 0) return undefined;
  try {
    return await decryptKey({ privateKey: key, passphrase: [...passphrases], config: OPENPGP_CONFIG });
  } catch {
    return undefined;
  }
}

/** A key without its primary secret key counts as unlocked if its subkeys are. */
function isUnlocked(key: PrivateKey): boolean {
  return key.getKeys().every((each) => {
    const { keyPacket } = each;
    return !('isDummy' in keyPacket) || keyPacket.isDummy() || keyPacket.isDecrypted() !== false;
  });
}

const MAX_FILE_BYTES = 4 << 20;

/**
 * Opens public keys; needs no passphrase.
 *
 * @param specs as in `openSigners`; files may also contain public keys
 * @returns the keys in order, without duplicates
 * @throws KubeparcelError of kind 'usage' if no key is given; otherwise as `openSigners`
 */
export async function openCertificates(specs: readonly string[], environment: Environment): Promise<Key[]> {
  const requested = specs.length === 0 && (environment[KEY_VARIABLE] ?? '') !== '' ? ['env'] : specs;
  if (requested.length === 0) {
    throw new KubeparcelError('usage', 'no key given', {
      hint: `use a key file or gpg:FINGERPRINT, or set ${KEY_VARIABLE}`,
    });
  }
  const found = new Map<string, Key>();
  for (const spec of requested) {
    for (const key of await certificatesOf(spec, environment)) found.set(fingerprintOf(key), key);
  }
  return [...found.values()];
}

async function certificatesOf(spec: string, environment: Environment): Promise<Key[]> {
  if (spec.startsWith('gpg:')) return [await gpgCertificate(spec.slice(4), environment)];
  if (spec !== 'env') {
    const bytes = await readPublicFile(spec);
    if (!isPrivateKey(bytes)) return readCertificates(bytes, spec);
  }
  const [bytes, where] = await keyBytes(spec, environment);
  return (await readSecretKeys(bytes, where)).map((key) => key.toPublic());
}

async function readPublicFile(path: string): Promise<Uint8Array> {
  try {
    const facts = await stat(path);
    if (facts.isFile() && facts.size <= MAX_FILE_BYTES) return await readFile(path);
  } catch (cause) {
    throw new KubeparcelError('io', 'cannot read the key', { where: path, cause });
  }
  throw new KubeparcelError('usage', 'not a key file', { where: path });
}

/** Whether the bytes are an armored private key or begin with a secret key packet (RFC 9580, section 4.2: type 5). */
function isPrivateKey(bytes: Uint8Array): boolean {
  const first = bytes[0] ?? 0;
  if (first >= 0x80) return (first & 0x40) === 0 ? ((first >> 2) & 0xf) === 5 : (first & 0x3f) === 5;
  return Buffer.from(bytes).includes('-----BEGIN PGP PRIVATE KEY BLOCK-----');
}
