import { armor, enums } from 'openpgp';
import { OPENPGP_CONFIG, readCertificates } from '../../sign/certificate.ts';
import type { Signer } from '../../sign/signer.ts';
import type { PackageRecord } from './record.ts';
import type { RepositoryPackage, RepositorySettings, View } from './repository.ts';

/** Input for the files of a view. */
export interface ViewRequest {
  readonly view: View;
  readonly settings: RepositorySettings;
  readonly listed: readonly { readonly entry: RepositoryPackage; readonly record: PackageRecord }[];
  /** Empty for an unsigned view. */
  readonly signers: readonly Signer[];
  /** Seconds since 1970-01-01 UTC. */
  readonly date: number;
}

/**
 * A file of a view, relative to its directory.
 *
 * - named: the name contains the digest, so the file can exist before the pointer refers to it
 * - fixed: a fixed name that clients with an older pointer do not request
 * - pointer: what clients request first (Release, InRelease, repomd.xml and signatures); written in the given order
 */
export interface ViewFile {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly role: 'named' | 'fixed' | 'pointer';
}

/** All certificates in one armor, since apt reads only the first armor of a file. */
export async function singleArmor(signers: readonly Signer[]): Promise<string> {
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

/** One armor per certificate, since rpm before 4.20 reads only the first certificate of an armor. */
export function separateArmors(signers: readonly Signer[]): string {
  return signers.map(({ publicKey }) => `${publicKey.trimEnd().replaceAll('\r\n', '\n')}\n`).join('');
}
