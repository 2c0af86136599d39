import { armor, enums, readSignature, type Signature } from 'openpgp';
import { OPENPGP_CONFIG } from './certificate.ts';
import { noKey } from './secrets.ts';
import type { Signer } from './signer.ts';

/** Names in the Hash header of cleartext-signed messages. */
const HASH_NAMES: ReadonlyMap<enums.hash | null, string> = new Map([
  [enums.hash.sha256, 'SHA256'],
  [enums.hash.sha384, 'SHA384'],
  [enums.hash.sha512, 'SHA512'],
]);

/**
 * Detached signatures of all signers in one ASCII-armored block: Release.gpg, repomd.xml.asc. For key rotation: clients
 * accept a file if they know one of the keys.
 *
 * @param date signature creation time, seconds since 1970-01-01 UTC
 */
export async function signTogether(signers: readonly Signer[], data: Uint8Array, date: number): Promise<string> {
  const packets: Uint8Array[] = [];
  for (const signer of atLeastOne(signers)) packets.push(await signer.signDetached(data, date));
  return armoredSignature(Buffer.concat(packets));
}

/**
 * A cleartext-signed message (RFC 9580, section 7) with the signatures of all signers: InRelease.
 *
 * @param date signature creation time, seconds since 1970-01-01 UTC
 */
export async function clearsignTogether(signers: readonly Signer[], text: string, date: number): Promise<string> {
  const packets: Uint8Array[] = [];
  const hashes = new Set<string>();
  for (const signer of atLeastOne(signers)) {
    const signature = await signatureBelow(await signer.clearsign(text, date));
    for (const packet of signature.packets) {
      hashes.add(HASH_NAMES.get(packet.hashAlgorithm) ?? 'SHA256');
    }
    packets.push(signature.write() as Uint8Array);
  }
  return [
    '-----BEGIN PGP SIGNED MESSAGE-----',
    `Hash: ${[...hashes].join(',')}`,
    '',
    ...withoutLastLineFeed(text).split('\n').map(dashEscaped),
    armoredSignature(Buffer.concat(packets)),
  ].join('\n');
}

/** RFC 9580, section 7.2. Trailing whitespace is kept, although it is not signed. */
function dashEscaped(line: string): string {
  return line.startsWith('-') ? `- ${line}` : line;
}

/** With the checksum that rpm requires. */
function armoredSignature(packets: Uint8Array): string {
  const text = armor(enums.armor.signature, packets, undefined, undefined, undefined, true, OPENPGP_CONFIG);
  return text.replaceAll('\r\n', '\n');
}

function atLeastOne(signers: readonly Signer[]): readonly Signer[] {
  if (signers.length > 0) return signers;
  throw noKey();
}

/**
 * The creation time of signatures: the given one, SOURCE_DATE_EPOCH, or now. A SOURCE_DATE_EPOCH before the creation of a
 * key is replaced by that time, because clients reject signatures older than the key; the result stays reproducible.
 */
export function signatureDate(
  signers: readonly Signer[],
  {
    given,
    epoch,
    now,
  }: { readonly given?: number | undefined; readonly epoch: number | undefined; readonly now: number },
): number {
  if (given !== undefined) return given;
  return epoch === undefined ? now : Math.max(epoch, ...signers.map(({ validFrom }) => validFrom));
}

/** The signatures below a cleartext-signed message (RFC 9580, section 7). */
export async function signatureBelow(message: string): Promise<Signature> {
  // Lines of the text cannot begin like this, because they are dash-escaped.
  const start = message.lastIndexOf('\n-----BEGIN PGP SIGNATURE-----');
  return readSignature({ armoredSignature: message.slice(start + 1), config: OPENPGP_CONFIG });
}

/** gpg --clearsign does not sign the last line feed, and apt would read an empty line before the signature. */
export function withoutLastLineFeed(text: string): string {
  return text.endsWith('\n') ? text.slice(0, -1) : text;
}
