import { createHash, type Hash } from 'node:crypto';
import type { ReadPackage } from '../layout/packager.ts';
import { KubeparcelError } from '../support/errors.ts';
import { bin, encodeHeader, type HeaderEntry, int32, int64, string } from './header.ts';
import { badHeader, type Header, numberOf, textOf } from './read-header.ts';
import { SIGNATURE_TAGS, TAGS } from './tags.ts';

const SIZE_LIMIT = 0xffffffff;

/** Digests (in hex) and sizes in the signature header. */
export interface PackageFacts {
  /** Of the header. */
  readonly sha1: string;
  readonly sha256: string;
  /** Of header and payload. */
  readonly md5: string;
  /** Bytes of header and payload. */
  readonly size: number;
  /** Bytes of the payload before compression. */
  readonly archiveSize: number;
}

/**
 * The signature header (RPM V4 format, "Signature"), padded to a multiple of eight bytes. rpm >= 4.14 checks the SHA-256,
 * older versions SHA-1 and MD5. Hosts in FIPS mode reject packages without the SHA-256.
 *
 * @param signatures tags with OpenPGP signatures
 */
export function signatureHeader(facts: PackageFacts, signatures: readonly HeaderEntry[]): Buffer {
  const long = facts.size >= SIZE_LIMIT || facts.archiveSize >= SIZE_LIMIT;
  const sizes: HeaderEntry[] = long
    ? [
        [SIGNATURE_TAGS.LONGSIGSIZE, int64([facts.size])],
        [SIGNATURE_TAGS.LONGARCHIVESIZE, int64([facts.archiveSize])],
      ]
    : [
        [SIGNATURE_TAGS.SIGSIZE, int32([facts.size])],
        [SIGNATURE_TAGS.ARCHIVESIZE, int32([facts.archiveSize])],
      ];
  const header = encodeHeader('signatures', [
    [SIGNATURE_TAGS.SHA1HEADER, string(facts.sha1)],
    [SIGNATURE_TAGS.SHA256HEADER, string(facts.sha256)],
    [SIGNATURE_TAGS.SIGMD5, bin(Buffer.from(facts.md5, 'hex'))],
    ...sizes,
    ...signatures,
  ]);
  return Buffer.concat([header, new Uint8Array(signaturePadding(header.length))]);
}

/** Padding in bytes between a signature header of this length and the header. */
export function signaturePadding(length: number): number {
  return (8 - (length % 8)) % 8;
}

/** A digest in a package; `algorithm` is the name in node:crypto, `value` lower-case hex. */
export type StatedDigest = ReadPackage['digests'][number] & { readonly of: keyof typeof COVERED };

const COVERED = { header: true, 'header and payload': true, payload: true, 'payload, unpacked': true } as const;

/** Algorithms that rpm uses for payloads, by OpenPGP number (RFC 4880, 9.4). */
const ALGORITHMS: ReadonlyMap<number, string> = new Map([
  [8, 'sha256'],
  [9, 'sha384'],
  [10, 'sha512'],
]);

/** All digests in the signature header and the header, except those of single files. */
export function statedDigests(signatures: Header, header: Header): StatedDigest[] {
  const text = (of: StatedDigest['of'], algorithm: string, from: Header, tag: number): StatedDigest[] => {
    const value = textOf(from, tag);
    return value === undefined ? [] : [{ of, algorithm, value }];
  };
  const number = numberOf(header, TAGS.PAYLOADDIGESTALGO) ?? 8;
  const algorithm = ALGORITHMS.get(number);
  if (algorithm === undefined) {
    throw badHeader('immutable', `has a payload digest with the unknown algorithm ${number}`);
  }
  const digests = [
    ...text('header', 'sha1', signatures, SIGNATURE_TAGS.SHA1HEADER),
    ...text('header', 'sha256', signatures, SIGNATURE_TAGS.SHA256HEADER),
    ...text('header', 'sha3-256', signatures, SIGNATURE_TAGS.SHA3_256HEADER),
    ...statedMd5(signatures),
    ...text('payload', algorithm, header, TAGS.PAYLOADDIGEST),
    ...text('payload', 'sha512', header, TAGS.PAYLOADSHA512),
    ...text('payload', 'sha3-256', header, TAGS.PAYLOADSHA3_256),
    ...text('payload, unpacked', algorithm, header, TAGS.PAYLOADDIGESTALT),
    ...text('payload, unpacked', 'sha512', header, TAGS.PAYLOADSHA512ALT),
    ...text('payload, unpacked', 'sha3-256', header, TAGS.PAYLOADSHA3_256ALT),
  ];
  const isStrong = (digest: StatedDigest) => digest.of === 'header' && digest.algorithm !== 'sha1';
  // rpm 4.14 and later write both. A payload digest is part of the header, so it proves nothing without a header digest.
  if (digests.some(({ of }) => of === 'payload') && !digests.some(isStrong)) {
    throw badHeader('signatures', 'has no SHA-256 of the header, although the header has digests of the payload');
  }
  return digests;
}

function statedMd5(signatures: Header): StatedDigest[] {
  const value = signatures.values.get(SIGNATURE_TAGS.SIGMD5);
  if (value === undefined) {
    return [];
  }
  if (value.type !== 'bin') {
    throw badHeader('signatures', 'has an MD5 of the wrong type');
  }
  return [{ of: 'header and payload', algorithm: 'md5', value: Buffer.from(value.bytes).toString('hex') }];
}

/** Computes the digests over one part of a package and compares them at the end. */
export interface DigestCheck {
  update(bytes: Uint8Array): void;
  /** @throws KubeparcelError of kind 'verification' that names the digest */
  finish(): void;
}

export function checkDigests(stated: readonly StatedDigest[], of: StatedDigest['of']): DigestCheck {
  const checks: { readonly digest: StatedDigest; readonly hash: Hash }[] = stated
    .filter((digest) => digest.of === of)
    .map((digest) => ({ digest, hash: createHash(digest.algorithm) }));
  return {
    update: (bytes) => {
      for (const { hash } of checks) hash.update(bytes);
    },
    finish: () => {
      for (const { digest, hash } of checks) {
        const found = hash.digest('hex');
        if (found !== digest.value) {
          throw new KubeparcelError('verification', `the ${digest.algorithm} of the ${of} does not match the package`, {
            hint: 'download the package again: it is damaged or was changed after it was built',
          });
        }
      }
    },
  };
}
