import { createHash } from 'node:crypto';
import {
  enums,
  LiteralDataPacket,
  PacketList,
  type PrivateKey,
  type SecretKeyPacket,
  SignaturePacket,
  type Subkey,
} from 'openpgp';
import { OPENPGP_CONFIG } from './certificate.ts';

/** Undeclared members that SignaturePacket.sign() uses. */
interface SigningPacket {
  signatureData: Uint8Array | null;
  toHash(): undefined;
  hash(): Promise<Uint8Array>;
  sign(key: unknown, data: unknown, date: Date, detached: boolean, config: unknown): Promise<void>;
}

const HASHES: ReadonlyMap<number, string> = new Map([
  [enums.hash.sha256, 'sha256'],
  [enums.hash.sha384, 'sha384'],
  [enums.hash.sha512, 'sha512'],
]);

/**
 * A detached signature over a stream in constant memory. openpgp.js would keep the whole stream in memory, so the hash is
 * computed here (RFC 9580, section 5.2.4) and openpgp.js only signs it.
 *
 * @param hashAlgorithm the algorithm that openpgp.js chooses for this key
 * @returns the signature packet
 */
export async function signStream(
  signing: PrivateKey | Subkey,
  data: AsyncIterable<Uint8Array>,
  { date, hashAlgorithm }: { readonly date: Date; readonly hashAlgorithm: number },
): Promise<Uint8Array> {
  const name = HASHES.get(hashAlgorithm);
  if (name === undefined) throw new Error(`unsupported hash algorithm ${hashAlgorithm}`);
  const hash = createHash(name);
  for await (const chunk of data) hash.update(chunk);
  const packet = new SignaturePacket();
  const key = signing.keyPacket as SecretKeyPacket;
  Object.assign(packet, {
    signatureType: enums.signature.binary,
    publicKeyAlgorithm: key.algorithm,
    hashAlgorithm,
  });
  const inner = packet as unknown as SigningPacket;
  inner.toHash = () => undefined;
  inner.hash = async () => {
    const fields = inner.signatureData ?? new Uint8Array();
    const trailer = Buffer.from([4, 0xff, 0, 0, 0, 0]);
    trailer.writeUInt32BE(fields.length, 2);
    return hash.update(fields).update(trailer).digest();
  };
  await inner.sign(key, new LiteralDataPacket(), date, true, OPENPGP_CONFIG);
  const list = new PacketList<SignaturePacket>();
  list.push(packet);
  return list.write() as Uint8Array;
}
