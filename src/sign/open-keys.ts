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
  readonly environment?: Environment;
  /** Seconds since 1970-01-01 UTC at which the keys must be valid; the clock's by default. */
  readonly now?: number;
  /** Asks a person for the passphrase of a key when none that is given unlocks it. */
  readonly ask?: ((key: string) => Promise<string>) | undefined;
}

/**
 * Opens keys for signing, in the order given; the first is the one that signs where only one can.
 *
 * @param specs each the path of a file with one or more private keys (`--key` of the commands), `gpg:FINGERPRINT` for a
 *   key that gpg can use wherever it lives, or `env` for the armored keys in KUBEPARCEL_SIGNING_KEY. With none, that
 *   variable is used when it is set
 * @returns at least one signer when a spec is given or the variable is set, else none
 * @throws KubeparcelError of kind 'usage' for a key that is expired, revoked, locked with another passphrase, or that
 *   cannot sign; of kind 'io' for a file that cannot be read
 */
export async function openSigners(specs: readonly string[], options: OpenSignersOptions = {}): Promise<Signer[]> {
  const { environment = process.env, now = Math.floor(Date.now() / 1000) } = options;
  const wanted = specs.length === 0 && (environment[KEY_VARIABLE] ?? '') !== '' ? ['env'] : specs;
  const passphrases = wanted.length === 0 ? [] : await readPassphrases(options, environment);
  const signers: Signer[] = [];
  for (const spec of wanted) {
    if (spec.startsWith('gpg:')) {
      signers.push(await gpgSigner(spec.slice(4), { now, passphrase: passphrases[0], environment }));
    } else {
      const [bytes, where] = await keyBytes(spec, environment);
      for (const key of await readSecretKeys(bytes, where)) {
        signers.push(await openpgpSigner(await unlock(key, passphrases, where, options.ask), now));
      }
    }
  }
  const doubled = signers.find(({ fingerprint }, at) => signers.findIndex((s) => s.fingerprint === fingerprint) !== at);
  if (doubled !== undefined) {
    throw new KubeparcelError('usage', 'the same key is given twice', { where: doubled.fingerprint });
  }
  return signers;
}

/** The bytes that a spec of `openSigners` other than `gpg:` names, and where they are from, for errors. */
export async function keyBytes(spec: string, environment: Environment): Promise<[bytes: Uint8Array, where: string]> {
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

/** @throws KubeparcelError of kind 'format' for bytes that hold no private key */
export async function readSecretKeys(bytes: Uint8Array, where: string): Promise<PrivateKey[]> {
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
    // The cause is left out: a parser's message may quote what it could not read.
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
  const asked = ask === undefined ? [] : [await ask(name)];
  const byHand = await tryToUnlock(key, asked);
  if (byHand !== undefined) return byHand;
  const none = passphrases.length + asked.length === 0;
  throw new KubeparcelError(
    'usage',
    none ? 'the signing key needs a passphrase' : 'wrong passphrase for the signing key',
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

/** A key whose primary half is elsewhere counts as unlocked when its subkeys are. */
function isUnlocked(key: PrivateKey): boolean {
  return key.getKeys().every((each) => {
    const { keyPacket } = each;
    return !('isDummy' in keyPacket) || keyPacket.isDummy() || keyPacket.isDecrypted() !== false;
  });
}

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
    throw new KubeparcelError('usage', 'no key given', {
      hint: `use a key file or gpg:FINGERPRINT, or set ${KEY_VARIABLE}`,
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
    throw new KubeparcelError('io', 'cannot read the key', { where: path, cause });
  }
  throw new KubeparcelError('usage', 'not a key file', { where: path });
}

/** An armor of one, or a first packet that is a secret key (RFC 9580, section 4.2: type 5, in either form of header). */
function holdsPrivateKey(bytes: Uint8Array): boolean {
  const first = bytes[0] ?? 0;
  if (first >= 0x80) return (first & 0x40) === 0 ? ((first >> 2) & 0xf) === 5 : (first & 0x3f) === 5;
  return Buffer.from(bytes).includes('-----BEGIN PGP PRIVATE KEY BLOCK-----');
}
