import type { Key } from 'openpgp';
import { armored } from './openpgp-signer.ts';

export type KeyForm = 'binary' | 'armored';

/**
 * A file with public keys: their packets one after the other (apt's Signed-By, .gpg), or ASCII-armored (rpm --import,
 * apt's .asc).
 */
export function publicKeyFile(certificates: readonly Key[], form: KeyForm): Uint8Array {
  if (form === 'binary') return Buffer.concat(certificates.map((each) => each.toPublic().write()));
  // One armor a key: rpm --import goes from armor to armor.
  return Buffer.from(certificates.map((each) => armored(each.toPublic())).join(''));
}
