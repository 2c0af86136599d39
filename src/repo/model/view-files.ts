import { armor, enums } from 'openpgp';
import { OPENPGP_CONFIG, readCertificates } from '../../sign/certificate.ts';
import type { Signer } from '../../sign/signer.ts';
import type { PackageRecord } from './record.ts';
import type { RepositoryPackage, RepositorySettings, View } from './repository.ts';

/** What a view is written of. */
export interface ViewRequest {
  readonly view: View;
  readonly settings: RepositorySettings;
  readonly listed: readonly { readonly entry: RepositoryPackage; readonly record: PackageRecord }[];
  /** None for a view without signatures. */
  readonly signers: readonly Signer[];
  /** Seconds since 1970-01-01 UTC. */
  readonly date: number;
}

/**
 * A file of a view, relative to its directory.
 *
 * - named: its name changes with its content, so that it can be there before anyone is told of it
 * - fixed: a name that clients which read old pointers do not need
 * - pointer: what is asked for first; in the order of the list
 */
export interface ViewFile {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly role: 'named' | 'fixed' | 'pointer';
}

/** All certificates in one armor: apt reads the first armor of a file only. */
export async function publicKeysTogether(signers: readonly Signer[]): Promise<string> {
  const packets: Uint8Array[] = [];
  for (const { publicKey, fingerprint } of signers) {
    for (const key of await readCertificates(publicKey, fingerprint)) packets.push(key.write());
  }
  const text = armor(
    enums.armor.publicKey,
    Buffer.concat(packets),
    undefined,
    undefined,
    undefined,
    true,
    OPENPGP_CONFIG,
  );
  return text.replaceAll('\r\n', '\n');
}

/** Each certificate in an armor of its own: rpm before 4.20 reads the first certificate of an armor only. */
export function publicKeysInTurn(signers: readonly Signer[]): string {
  return signers.map(({ publicKey }) => `${publicKey.trimEnd().replaceAll('\r\n', '\n')}\n`).join('');
}
