import { enums, type Key, readSignature, type Signature } from 'openpgp';
import { KubeparcelError } from '../support/errors.ts';
import { armored, chooseSigningKey, fingerprintOf, OPENPGP_CONFIG, readCertificates, userIdOf } from './certificate.ts';
import { checkDate } from './openpgp-signer.ts';
import { runGpg } from './run-gpg.ts';
import type { Environment } from './secrets.ts';
import { signatureBelow, withoutLastLineFeed } from './signatures.ts';
import type { Signer } from './signer.ts';

export interface GpgSignerOptions {
  /** Time at which the key must be valid, seconds since 1970-01-01 UTC. */
  readonly now: number;
  readonly passphrase: string | undefined;
  readonly environment: Environment;
}

/**
 * A signer that runs gpg, with a key in its keyring, in its agent, on a smart card or in an HSM. GNUPGHOME is respected.
 * Signatures have the given date (--faked-system-time), so RSA and Ed25519 signatures are reproducible; ECDSA signatures
 * of a smart card may not be.
 *
 * @param fingerprint of a primary key, or of the subkey to sign with; 40 hex digits, spaces allowed
 * @throws KubeparcelError of kind 'usage' for a key that gpg does not have, or that is expired, revoked, or cannot sign
 */
export async function gpgSigner(fingerprint: string, options: GpgSignerOptions): Promise<Signer> {
  const requested = fullFingerprint(fingerprint);
  const where = `gpg:${requested}`;
  const { passphrase, environment, now } = options;
  const context = { environment, where };
  const listing = await runGpg(['--with-colons', '--list-secret-keys', requested], {
    ...context,
    purpose: 'find the key',
  });
  const available = secretFingerprints(listing.toString('utf8'));
  const certificate = await gpgCertificate(requested, environment);
  const named =
    requested === fingerprintOf(certificate) ? available : new Set([requested].filter((each) => available.has(each)));
  const signing = await chooseSigningKey(certificate, now, (each) => named.has(each));

  const run = (command: string, data: AsyncIterable<Uint8Array> | Uint8Array, date: number) => {
    checkDate(signing, date);
    const args = [
      ['--local-user', `${signing.fingerprint}!`, '--faked-system-time', `${date}!`, '--digest-algo', 'SHA256'],
      // Overrides options in gpg.conf that would change the published signatures.
      ['--no-armor', '--no-textmode', '--no-comments', '--no-emit-version', '--output', '-', command],
    ];
    return runGpg(args.flat(), { ...context, input: data, passphrase, purpose: 'sign' });
  };
  return {
    fingerprint: fingerprintOf(certificate),
    signingFingerprint: signing.fingerprint,
    algorithm: signing.algorithm,
    userId: await userIdOf(certificate),
    validFrom: signing.validFrom,
    expires: signing.expires,
    publicKey: armored(certificate),
    signDetached: async (data, date) => {
      const signature = await run('--detach-sign', data, date);
      checkSignature(await readSignature({ binarySignature: signature, config: OPENPGP_CONFIG }), date, where);
      return signature;
    },
    clearsign: async (text, date) => {
      const message = (await run('--clear-sign', Buffer.from(withoutLastLineFeed(text)), date)).toString('utf8');
      checkSignature(await signatureBelow(message), date, where);
      return message;
    },
  };
}

/**
 * A public key in gpg's keyring.
 *
 * @param fingerprint of a primary key or a subkey; 40 hex digits, spaces allowed
 */
export async function gpgCertificate(fingerprint: string, environment: Environment): Promise<Key> {
  const requested = fullFingerprint(fingerprint);
  const where = `gpg:${requested}`;
  const purpose = 'export the public key';
  const exported = await runGpg(['--no-armor', '--export', requested], { environment, where, purpose });
  return singleKey(exported.length === 0 ? [] : await readCertificates(exported, where), where);
}

function fullFingerprint(fingerprint: string): string {
  const requested = fingerprint.replace(/\s|^0x|!$/g, '').toUpperCase();
  if (!/^[0-9A-F]{40}$/.test(requested)) {
    throw new KubeparcelError('usage', `invalid fingerprint ${JSON.stringify(fingerprint)}`, {
      where: `gpg:${fingerprint}`,
      hint: 'expected 40 hex digits, as gpg --list-secret-keys --with-subkey-fingerprint shows them; shorter ids can be forged',
    });
  }
  return requested;
}

/**
 * Fingerprints of the secret keys that gpg can use, in its keyring or on a card (`>`); `#` marks missing secret keys
 * (GnuPG, doc/DETAILS, "Format of the colon listings", fields 1, 10 and 15).
 */
function secretFingerprints(listing: string): Set<string> {
  const found = new Set<string>();
  let usable = false;
  for (const line of listing.split('\n')) {
    const fields = line.split(':');
    if (fields[0] === 'sec' || fields[0] === 'ssb') {
      usable = fields[14] !== '#';
    } else if (fields[0] === 'fpr' && usable) {
      found.add((fields[9] ?? '').toUpperCase());
      usable = false;
    }
  }
  return found;
}

function singleKey(keys: readonly Key[], where: string): Key {
  const [first, ...others] = keys;
  if (first === undefined || others.length > 0) {
    throw new KubeparcelError('usage', `gpg has ${keys.length} keys with this fingerprint`, { where });
  }
  return first;
}

/** Checks the form of the signature, which options in gpg.conf can change. */
function checkSignature({ packets }: Signature, date: number, where: string): void {
  const [packet, ...others] = packets;
  const isAsRequested =
    packet !== undefined &&
    others.length === 0 &&
    packet.version === 4 &&
    [enums.hash.sha256, enums.hash.sha384, enums.hash.sha512].some((hash) => hash === packet.hashAlgorithm) &&
    packet.created?.getTime() === date * 1000;
  if (!isAsRequested) {
    throw new KubeparcelError('usage', 'gpg created another kind of signature than requested', {
      where,
      hint: 'check gpg.conf for local-user, digest or signature options, or set another GNUPGHOME',
    });
  }
}
