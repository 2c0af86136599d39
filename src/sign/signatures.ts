import { armor, enums, readSignature, type Signature } from 'openpgp';
import { OPENPGP_CONFIG } from './certificate.ts';
import { noKey } from './secrets.ts';
import type { Signer } from './signer.ts';

/** As the Hash header of cleartext-signed messages names them. */
const HASH_NAMES: ReadonlyMap<enums.hash | null, string> = new Map([
  [enums.hash.sha256, 'SHA256'],
  [enums.hash.sha384, 'SHA384'],
  [enums.hash.sha512, 'SHA512'],
]);

/**
 * A detached signature by each signer, in one ASCII armor: Release.gpg, repomd.xml.asc. Clients take a file for signed
 * when they know one of the keys, which is how keys are rotated.
 *
 * @param date signature creation time, seconds since 1970-01-01 UTC
 */
export async function signTogether(signers: readonly Signer[], data: Uint8Array, date: number): Promise<string> {
  const packets: Uint8Array[] = [];
  for (const signer of atLeastOne(signers)) packets.push(await signer.signDetached(data, date));
  return armoredSignature(Buffer.concat(packets));
}

/**
 * A cleartext-signed message (RFC 9580, section 7) with a signature by each signer: InRelease.
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

/** RFC 9580, section 7.2. Trailing blanks are not signed, and are left as they are. */
function dashEscaped(line: string): string {
  return line.startsWith('-') ? `- ${line}` : line;
}

/** With the checksum that rpm's reader of armor asks for. */
function armoredSignature(packets: Uint8Array): string {
  const text = armor(enums.armor.signature, packets, undefined, undefined, undefined, true, OPENPGP_CONFIG);
  return text.replaceAll('\r\n', '\n');
}

function atLeastOne(signers: readonly Signer[]): readonly Signer[] {
  if (signers.length > 0) return signers;
  throw noKey();
}

/**
 * The time that signatures state: as asked, else SOURCE_DATE_EPOCH, else now. A SOURCE_DATE_EPOCH from before a key
 * was made counts as the moment it was made, since no client accepts an older signature: still the same bytes each time.
 */
export function signatureDate(
  signers: readonly Signer[],
  {
    asked,
    epoch,
    now,
  }: { readonly asked?: number | undefined; readonly epoch: number | undefined; readonly now: number },
): number {
  if (asked !== undefined) return asked;
  return epoch === undefined ? now : Math.max(epoch, ...signers.map(({ validFrom }) => validFrom));
}

/** The signatures below a cleartext-signed message (RFC 9580, section 7). */
export async function signatureBelow(message: string): Promise<Signature> {
  // The text's own lines cannot begin so: they are dash-escaped.
  const start = message.lastIndexOf('\n-----BEGIN PGP SIGNATURE-----');
  return readSignature({ armoredSignature: message.slice(start + 1), config: OPENPGP_CONFIG });
}

/** gpg --clearsign does not sign it, and apt would see an empty line before the signature. */
export function withoutLastLineFeed(text: string): string {
  return text.endsWith('\n') ? text.slice(0, -1) : text;
}
