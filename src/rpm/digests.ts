import { createHash, type Hash } from 'node:crypto';
import type { ReadPackage } from '../layout/packager.ts';
import { KubeparcelError } from '../support/errors.ts';
import { badHeader, type Header, numberOf, textOf } from './header-reader.ts';
import { SIGNATURE_TAGS, TAGS } from './tags.ts';

/** A digest that the package states; `algorithm` as node:crypto calls it, `value` in lower-case hex. */
export type StatedDigest = ReadPackage['digests'][number] & { readonly of: keyof typeof COVERED };

const COVERED = { header: true, 'header and payload': true, payload: true, 'payload, unpacked': true } as const;

/** Algorithms by OpenPGP's numbers (RFC 4880, 9.4), of those that rpm has used for payloads. */
const ALGORITHMS: ReadonlyMap<number, string> = new Map([
  [8, 'sha256'],
  [9, 'sha384'],
  [10, 'sha512'],
]);

/** Everything that signature header and header state of the package's bytes, but the digests of single files. */
export function statedDigests(signatures: Header, header: Header): StatedDigest[] {
  const text = (of: StatedDigest['of'], algorithm: string, from: Header, tag: number): StatedDigest[] => {
    const value = textOf(from, tag);
    return value === undefined ? [] : [{ of, algorithm, value }];
  };
  const number = numberOf(header, TAGS.PAYLOADDIGESTALGO) ?? 8;
  const algorithm = ALGORITHMS.get(number);
  if (algorithm === undefined) {
    throw badHeader('immutable', `has a digest of the payload of the unknown kind ${number}`);
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
  // rpm has had both since 4.14; the payload's digest says nothing where the header that states it has none.
  if (digests.some(({ of }) => of === 'payload') && !digests.some(isStrong)) {
    throw badHeader('signatures', 'has no SHA-256 of the header, as a package that states digests of its payload must');
  }
  return digests;
}

function statedMd5(signatures: Header): StatedDigest[] {
  const value = signatures.values.get(SIGNATURE_TAGS.SIGMD5);
  if (value === undefined) {
    return [];
  }
  if (value.type !== 'bin') {
    throw badHeader('signatures', 'has no bytes for its MD5');
  }
  return [{ of: 'header and payload', algorithm: 'md5', value: Buffer.from(value.bytes).toString('hex') }];
}

/** Takes in the bytes that one kind of digests covers, and compares at their end. */
export interface DigestCheck {
  update(bytes: Uint8Array): void;
  /** @throws KubeparcelError of kind 'verification' that names the digest that differs */
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
          throw new KubeparcelError('verification', `its ${of} differs from the ${digest.algorithm} that it states`, {
            hint: 'get the package again: it is damaged, or was changed after it was made',
          });
        }
      }
    },
  };
}
