import { createMessage, type Key, readCleartextMessage, readSignature, verify } from 'openpgp';
import { KubeparcelError } from '../support/errors.ts';
import { fingerprintOf, OPENPGP_CONFIG, userIdOf } from './certificate.ts';

/** A valid signature. */
export interface GoodSignature {
  /** Of the primary key, upper-case hex. */
  readonly fingerprint: string;
  readonly userId: string;
  /** Creation time, seconds since 1970-01-01 UTC. */
  readonly date: number;
}

export interface Verified {
  /** At least one. */
  readonly good: readonly GoodSignature[];
  /** Key IDs (16 upper-case hex digits) of signatures by other keys, for example during a key rotation. */
  readonly unknown: readonly string[];
}

const MAX_SIGNATURE_BYTES = 1 << 20;

/**
 * Verifies a file with one or more detached signatures. Every signature by a given key must be valid, and there must be at
 * least one.
 *
 * @param signature ASCII-armored or binary
 * @param publicKeys as `readCertificates` reads them
 * @param date seconds since 1970-01-01 UTC at which the keys must be valid; now by default
 * @param where the signature's file, for errors
 * @throws KubeparcelError of kind 'verification' if a signature is invalid or none is by a given key, 'format' if it is not
 *   a signature
 */
export async function verifyDetached(
  data: Uint8Array,
  signature: Uint8Array | string,
  publicKeys: readonly Key[],
  { date, where }: { readonly date?: number | undefined; readonly where: string },
): Promise<Verified> {
  const parsed = await readBounded(
    where,
    () => {
      const text = asArmor(signature);
      return text === undefined
        ? readSignature({ binarySignature: signature as Uint8Array, config: OPENPGP_CONFIG })
        : readSignature({ armoredSignature: text, config: OPENPGP_CONFIG });
    },
    signature.length,
  );
  const message = await createMessage({ binary: data });
  const options = verifyOptions(publicKeys, date);
  const { signatures } = await verify({ message, format: 'binary', signature: parsed, ...options });
  return evaluate(signatures, publicKeys, options.date, where);
}

/**
 * Verifies a cleartext-signed message such as InRelease. Every signature by a given key must be valid, and there must be at
 * least one. Text before or after the message is rejected, because other readers could treat it as signed.
 *
 * @param date seconds since 1970-01-01 UTC at which the keys must be valid; now by default
 * @param where the file's name, for errors
 * @returns the signed text as well, with a line feed at its end
 * @throws KubeparcelError as `verifyDetached`
 */
export async function verifyClearsigned(
  text: string,
  publicKeys: readonly Key[],
  { date, where }: { readonly date?: number | undefined; readonly where: string },
): Promise<Verified & { readonly text: string }> {
  const isWholeMessage = /^-----BEGIN PGP SIGNED MESSAGE-----\r?\n[\s\S]*\n-----END PGP SIGNATURE-----\s*$/.test(text);
  const armorHeaders = text.match(/^-----BEGIN PGP SIGN(ED MESSAGE|ATURE)-----/gm);
  if (!isWholeMessage || armorHeaders?.length !== 2) {
    throw new KubeparcelError('format', 'not exactly one cleartext-signed message', { where });
  }
  const message = await readBounded(where, () =>
    readCleartextMessage({ cleartextMessage: text, config: OPENPGP_CONFIG }),
  );
  const options = verifyOptions(publicKeys, date);
  const { signatures } = await verify({ message, ...options });
  return { ...(await evaluate(signatures, publicKeys, options.date, where)), text: `${message.getText()}\n` };
}

function verifyOptions(publicKeys: readonly Key[], date: number | undefined) {
  return {
    verificationKeys: [...publicKeys],
    config: OPENPGP_CONFIG,
    date: date === undefined ? new Date() : new Date(date * 1000),
  };
}

async function readBounded<T>(where: string, read: () => Promise<T>, length = 0): Promise<T> {
  try {
    if (length <= MAX_SIGNATURE_BYTES) return await read();
  } catch (cause) {
    throw new KubeparcelError('format', 'not an OpenPGP signature', { where, cause });
  }
  throw new KubeparcelError('format', 'too large for a signature', { where });
}

function asArmor(signature: Uint8Array | string): string | undefined {
  if (typeof signature === 'string') return signature;
  return (signature[0] ?? 0) >= 0x80 ? undefined : Buffer.from(signature).toString('latin1');
}

async function evaluate(
  results: Awaited<ReturnType<typeof verify>>['signatures'],
  publicKeys: readonly Key[],
  at: Date,
  where: string,
): Promise<Verified> {
  const good: GoodSignature[] = [];
  const unknown: string[] = [];
  for (const { keyID, signature, verified } of results) {
    const key = publicKeys.find((each) => each.getKeyIDs().some((id) => id.equals(keyID)));
    if (key === undefined) {
      unknown.push(keyID.toHex().toUpperCase());
      continue;
    }
    try {
      await verified;
      // openpgp.js checks that the key was valid when it signed; apt also rejects signatures of keys that expired later.
      await key.getSigningKey(keyID, at, undefined, OPENPGP_CONFIG);
    } catch (cause) {
      throw new KubeparcelError('verification', `invalid signature: ${reasonOf(cause)}`, {
        where: `${where}, key ${fingerprintOf(key)}`,
        hint: 'download the files again; if the error persists, do not use them and inform the publisher',
        cause,
      });
    }
    const { packets } = await signature;
    const created = packets[0]?.created?.getTime() ?? 0;
    good.push({ fingerprint: fingerprintOf(key), userId: await userIdOf(key), date: created / 1000 });
  }
  if (good.length === 0) {
    const others = unknown.length === 0 ? 'there is no signature' : `signed by ${unknown.join(', ')}`;
    throw new KubeparcelError('verification', `no signature from any of the given keys; ${others}`, {
      where,
      hint: 'use the public key of the publisher',
    });
  }
  return { good, unknown };
}

/** Converts an error of openpgp.js to a reason for the user. */
function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  if (/digest|verification failed/i.test(message)) return 'the data is not what was signed';
  if (/expired/i.test(message)) return 'its key has expired';
  return /revoked/i.test(message) ? 'its key is revoked' : message;
}
