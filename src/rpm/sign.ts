import type { Signer } from '../sign/signer.ts';
import { KubeparcelError } from '../support/errors.ts';
import { type WrittenFile, writeAtomically } from '../support/write-atomically.ts';
import { bin, encodeHeader, type HeaderEntry, type HeaderValue } from './header.ts';
import { openPackage, type PackageFile, type PackageSections, readFrom, readSections } from './package-file.ts';
import { type EncodedValue, type Header, numbersOf, textOf, textsOf } from './read-header.ts';
import { checkDigests, signaturePadding, statedDigests } from './signature-header.ts';
import { SIGNATURE_TAGS, TAGS } from './tags.ts';

export interface RpmSignOptions {
  /** Signature creation time, seconds since 1970-01-01 UTC. */
  readonly date: number;
  /**
   * Whether to add a signature over header and payload for rpm before 4.14. By default only if such a version can read the
   * package: for RSA keys and payloads not compressed with zstd.
   */
  readonly headerAndPayload?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface SignedRpm extends WrittenFile {
  readonly signatures: readonly ('header' | 'header and payload')[];
}

/**
 * Signs an RPM in place (RPM V4 format, "Signature"). Writes a new signature header without the old signatures and
 * reserved space; lead, header and payload are copied unchanged. All digests are verified, so a damaged package is never
 * signed. The file is replaced atomically.
 *
 * As with rpmsign, RSA signatures are in RSAHEADER (and SIGPGP), Ed25519 signatures in DSAHEADER (and SIGGPG).
 *
 * @throws KubeparcelError of kind 'usage' for an algorithm that rpm does not support, 'format' or 'verification' for a
 *   damaged package
 */
export async function signRpm(path: string, signer: Signer, options: RpmSignOptions): Promise<SignedRpm> {
  const tags = signatureTags(signer);
  const file = await openPackage(path);
  try {
    const parts = await readSections(file);
    const { bytes } = parts.header;
    const both = options.headerAndPayload ?? (signer.algorithm.startsWith('rsa') && !isZstd(parts.header));
    const made: HeaderEntry[] = [[tags.header, bin(await signer.signDetached(bytes, options.date))]];
    if (both) {
      const whole = readFrom(file, parts.headerAt, options.signal);
      made.push([tags.headerAndPayload, bin(await signer.signDetached(whole, options.date))]);
    }
    const { mode } = await file.handle.stat();
    const written = await writeAtomically(path, signedPackage(file, parts, made, options.signal), {
      mode: mode & 0o777,
    });
    return { ...written, signatures: both ? ['header', 'header and payload'] : ['header'] };
  } catch (error) {
    throw error instanceof KubeparcelError && error.where === undefined ? error.within(path) : error;
  } finally {
    await file.handle.close();
  }
}

function signatureTags({ algorithm, signingFingerprint }: Signer): { header: number; headerAndPayload: number } {
  if (algorithm.startsWith('rsa')) {
    return { header: SIGNATURE_TAGS.RSAHEADER, headerAndPayload: SIGNATURE_TAGS.SIGPGP };
  }
  if (algorithm === 'ed25519') {
    return { header: SIGNATURE_TAGS.DSAHEADER, headerAndPayload: SIGNATURE_TAGS.SIGGPG };
  }
  throw new KubeparcelError('usage', `rpm does not support package signatures with ${algorithm}`, {
    where: signingFingerprint,
    hint: 'use an RSA key, or an Ed25519 key in the format of GnuPG 2 (kubeparcel keys new creates either)',
  });
}

function isZstd(header: Header): boolean {
  return textOf(header, TAGS.PAYLOADCOMPRESSOR) === 'zstd';
}

/** The signed package. Throws before the end if a digest does not match, so the file is not replaced. */
async function* signedPackage(
  file: PackageFile,
  { lead, signatures, header, headerAt }: PackageSections,
  made: readonly HeaderEntry[],
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  const stated = statedDigests(signatures, header);
  const headerCheck = checkDigests(stated, 'header');
  headerCheck.update(header.bytes);
  headerCheck.finish();
  const whole = checkDigests(stated, 'header and payload');
  const payload = checkDigests(stated, 'payload');
  yield lead;
  yield signatureHeaderWith(signatures, made);
  let left = header.bytes.length;
  for await (const chunk of readFrom(file, headerAt, signal)) {
    whole.update(chunk);
    payload.update(chunk.subarray(Math.min(left, chunk.length)));
    left -= Math.min(left, chunk.length);
    yield chunk;
  }
  payload.finish();
  whole.finish();
}

/** Tags of OpenPGP signatures, which are replaced, and of the space that rpmsign reserves for them. */
const REPLACED: ReadonlySet<number> = new Set([
  SIGNATURE_TAGS.RSAHEADER,
  SIGNATURE_TAGS.DSAHEADER,
  SIGNATURE_TAGS.SIGPGP,
  SIGNATURE_TAGS.SIGGPG,
  SIGNATURE_TAGS.OPENPGP,
  SIGNATURE_TAGS.RESERVEDSPACE,
]);

function signatureHeaderWith(old: Header, made: readonly HeaderEntry[]): Uint8Array {
  const kept = [...old.values].filter(([tag]) => !REPLACED.has(tag));
  const entries = kept.map(([tag, value]): HeaderEntry => [tag, decodeValue(old, tag, value)]);
  const header = encodeHeader('signatures', [...entries, ...made]);
  return Buffer.concat([header, new Uint8Array(signaturePadding(header.length))]);
}

function decodeValue(header: Header, tag: number, { type, bytes }: EncodedValue): HeaderValue {
  switch (type) {
    case 'bin':
      return bin(bytes);
    case 'string':
    case 'stringArray':
    case 'i18nString':
      return { type, strings: textsOf(header, tag) ?? [] };
    default:
      return { type, numbers: numbersOf(header, tag) ?? [] };
  }
}
