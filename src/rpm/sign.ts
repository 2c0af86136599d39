import type { Signer } from '../sign/signer.ts';
import { KubeparcelError } from '../support/errors.ts';
import { type WrittenFile, writeAtomically } from '../support/write-atomically.ts';
import { bin, encodeHeader, type HeaderEntry, type HeaderValue } from './header.ts';
import { checkLeadKind, LEAD_LENGTH } from './lead.ts';
import { openPackage, type PackageFile, readExactly, readFrom, readHeader, skipPadding } from './package-file.ts';
import { type EncodedValue, type Header, numbersOf, textOf, textsOf } from './read-header.ts';
import { checkDigests, signaturePadding, statedDigests } from './signature-header.ts';
import { SIGNATURE_TAGS, TAGS } from './tags.ts';

export interface RpmSignOptions {
  /** Signature creation time, seconds since 1970-01-01 UTC. */
  readonly date: number;
  /**
   * Also a signature over header and payload, as rpm before 4.14 wants it; by default where such an rpm can read the
   * package at all: RSA, and a payload that is not compressed with zstd.
   */
  readonly headerAndPayload?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface SignedRpm extends WrittenFile {
  readonly signatures: readonly ('header' | 'header and payload')[];
}

/**
 * Signs an RPM where it stands (RPM V4 format, "Signature"): its signature header is made anew, with the old signatures
 * and reserved space left out; lead, header and payload stay byte for byte. What the package states of itself is
 * checked first, so that no damaged package gets a signature. A killed run leaves the old file or the new one.
 *
 * RSA signatures go to RSAHEADER (and SIGPGP), those of Ed25519 to DSAHEADER (and SIGGPG), as rpmsign has it; rpm reads
 * one of each. Old signatures are replaced.
 *
 * @throws KubeparcelError of kind 'usage' for a key that rpm cannot read, of kind 'format' or 'verification' for a
 *   damaged package
 */
export async function signRpm(path: string, signer: Signer, options: RpmSignOptions): Promise<SignedRpm> {
  const tags = signatureTags(signer);
  const file = await openPackage(path);
  try {
    const parts = await readParts(file);
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
  throw new KubeparcelError('usage', `rpm reads no signatures of ${algorithm} in packages`, {
    where: signingFingerprint,
    hint: 'sign with an RSA key, or with Ed25519 in the form that GnuPG 2 has: kubeparcel keys new makes both',
  });
}

interface PackageParts {
  readonly lead: Uint8Array;
  readonly signatures: Header;
  readonly header: Header;
  readonly headerAt: number;
}

async function readParts(file: PackageFile): Promise<PackageParts> {
  const lead = await readExactly(file, 0, LEAD_LENGTH);
  checkLeadKind(lead);
  const signatures = await readHeader(file, LEAD_LENGTH, 'signatures');
  const headerAt = await skipPadding(file, LEAD_LENGTH + signatures.bytes.length);
  return { lead, signatures, header: await readHeader(file, headerAt, 'immutable'), headerAt };
}

function isZstd(header: Header): boolean {
  return textOf(header, TAGS.PAYLOADCOMPRESSOR) === 'zstd';
}

/** Fails before its end, and with it the whole, when a digest that the package states does not hold. */
async function* signedPackage(
  file: PackageFile,
  { lead, signatures, header, headerAt }: PackageParts,
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

/** Signatures of OpenPGP, which are made anew, and room that rpmsign keeps for them. */
const LEFT_OUT: ReadonlySet<number> = new Set([
  SIGNATURE_TAGS.RSAHEADER,
  SIGNATURE_TAGS.DSAHEADER,
  SIGNATURE_TAGS.SIGPGP,
  SIGNATURE_TAGS.SIGGPG,
  SIGNATURE_TAGS.OPENPGP,
  SIGNATURE_TAGS.RESERVEDSPACE,
]);

function signatureHeaderWith(old: Header, made: readonly HeaderEntry[]): Uint8Array {
  const kept = [...old.values].filter(([tag]) => !LEFT_OUT.has(tag));
  const entries = kept.map(([tag, value]): HeaderEntry => [tag, decoded(old, tag, value)]);
  const header = encodeHeader('signatures', [...entries, ...made]);
  return Buffer.concat([header, new Uint8Array(signaturePadding(header.length))]);
}

function decoded(header: Header, tag: number, { type, bytes }: EncodedValue): HeaderValue {
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
