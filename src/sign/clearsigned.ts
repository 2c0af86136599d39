import { readSignature, type Signature } from 'openpgp';
import { OPENPGP_CONFIG } from './certificate.ts';

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
