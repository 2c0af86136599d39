import { bin, encodeHeader, type HeaderEntry, int32, int64, string } from './header.ts';
import { SIGNATURE_TAGS } from './tags.ts';

const SIZE_LIMIT = 0xffffffff;

/** What the signature header states of the package behind it. Digests in hex. */
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
 * The signature header (RPM V4 format, "Signature"), padded to a multiple of eight bytes. rpm >= 4.14 checks the
 * SHA-256, older ones SHA-1 and MD5; hosts in FIPS mode refuse packages without the SHA-256.
 *
 * @param signatures further tags, over what `facts` describe: OpenPGP signatures
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

/** Bytes between a signature header of this length and the header behind it. */
export function signaturePadding(length: number): number {
  return (8 - (length % 8)) % 8;
}
