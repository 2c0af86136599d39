import {
  createCleartextMessage,
  createMessage,
  enums,
  type KeyID,
  type PrivateKey,
  readSignature,
  type Subkey,
  sign,
} from 'openpgp';
import { KubeparcelError } from '../support/errors.ts';
import { armored, chooseSigningKey, fingerprintOf, OPENPGP_CONFIG, type SigningKey, userIdOf } from './certificate.ts';
import { signStream } from './sign-stream.ts';
import { withoutLastLineFeed } from './signatures.ts';
import type { Signer } from './signer.ts';

/**
 * A signer with an unlocked private key of openpgp.js.
 *
 * @param now time at which the key must be valid, seconds since 1970-01-01 UTC
 * @throws KubeparcelError of kind 'usage' for a key that is expired, revoked or cannot sign
 */
export async function openpgpSigner(key: PrivateKey, now: number): Promise<Signer> {
  const hasSecret = new Set(
    key
      .getKeys()
      .filter((each) => isSecretPresent(each))
      .map(fingerprintOf),
  );
  const signing = await chooseSigningKey(key, now, (fingerprint) => hasSecret.has(fingerprint));
  const options = (date: number) => ({
    signingKeys: key,
    signingKeyIDs: [signing.key.getKeyID() as KeyID],
    date: new Date(date * 1000),
    config: OPENPGP_CONFIG,
  });
  return {
    fingerprint: fingerprintOf(key),
    signingFingerprint: signing.fingerprint,
    algorithm: signing.algorithm,
    userId: await userIdOf(key),
    validFrom: signing.validFrom,
    expires: signing.expires,
    publicKey: armored(key.toPublic()),
    signDetached: async (data, date) => {
      checkDate(signing, date);
      const inMemory = data instanceof Uint8Array;
      const message = await createMessage({ binary: inMemory ? data : new Uint8Array() });
      const signature = await sign({ message, ...options(date), detached: true, format: 'binary' });
      if (inMemory) return signature;
      const { packets } = await readSignature({ binarySignature: signature, config: OPENPGP_CONFIG });
      const hashAlgorithm = packets[0]?.hashAlgorithm ?? enums.hash.sha256;
      return signStream(signing.key as PrivateKey | Subkey, data, { date: new Date(date * 1000), hashAlgorithm });
    },
    clearsign: async (text, date) => {
      checkDate(signing, date);
      const message = await createCleartextMessage({ text: withoutLastLineFeed(text) });
      return sign({ message, ...options(date) });
    },
  };
}

/**
 * @throws KubeparcelError of kind 'usage' for a date before the key is valid or after it expires: clients would reject the
 *   signature
 */
export function checkDate(
  { fingerprint, validFrom, expires }: Pick<SigningKey, 'fingerprint' | 'validFrom' | 'expires'>,
  date: number,
): void {
  if (date >= validFrom && (expires === undefined || date < expires)) return;
  const early = date < validFrom;
  throw new KubeparcelError(
    'usage',
    `cannot sign with date ${utc(date)}: ${early ? 'the key is newer' : 'the key has expired by then'}`,
    {
      where: fingerprint,
      hint: early
        ? `use a date of ${utc(validFrom)} or later: unset or change SOURCE_DATE_EPOCH or --date`
        : 'sign with another key',
    },
  );
}

function utc(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
}

/** Whether the secret key is present. Subkey exports lack the primary one, exports from a card lack all. */
function isSecretPresent({ keyPacket }: ReturnType<PrivateKey['getKeys']>[number]): boolean {
  return 'isDummy' in keyPacket && !keyPacket.isDummy();
}
