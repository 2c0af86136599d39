import { formatVersion } from '../../../model/package-version.ts';
import { checkLeadIdentity, checkLeadKind, LEAD_LENGTH } from '../../../rpm/lead.ts';
import { openPackage, type PackageFile, readExactly, readFrom, readHeader } from '../../../rpm/package-file.ts';
import { checkSize, readIdentity } from '../../../rpm/read.ts';
import type { Header } from '../../../rpm/read-header.ts';
import { checkDigests, signaturePadding, statedDigests } from '../../../rpm/signature-header.ts';
import { KubeparcelError } from '../../../support/errors.ts';

/** The signature header and the main header of an RPM. */
export interface RpmHeaders {
  readonly signatures: Header;
  readonly header: Header;
  /** Offsets of the main header in the file, in bytes. */
  readonly start: number;
  readonly end: number;
  readonly name: string;
  /** Full version: [epoch:]version-release. */
  readonly version: string;
  readonly architecture: string;
}

/**
 * Reads the headers of an RPM and checks headers and payload against the digests in the headers. Does not decompress the
 * payload.
 *
 * @throws KubeparcelError of kind 'format' if the file is not a binary RPM of version 3 or 4 or is truncated, of kind
 *   'verification' for a wrong digest
 */
export async function readRpmHeaders(path: string, signal?: AbortSignal): Promise<RpmHeaders> {
  const file = await openPackage(path);
  try {
    const lead = await readExactly(file, 0, LEAD_LENGTH);
    checkLeadKind(lead);
    const signatures = await readHeader(file, LEAD_LENGTH, 'signatures');
    const signaturesEnd = LEAD_LENGTH + signatures.bytes.length;
    const start = signaturesEnd + signaturePadding(signaturesEnd);
    const header = await readHeader(file, start, 'immutable');
    const end = start + header.bytes.length;
    const identity = readIdentity(header);
    checkLeadIdentity(lead, identity);
    checkSize(signatures, file.size - start);
    await checkBytes(file, { signatures, header, end }, signal);
    return { signatures, header, start, end, ...identity, version: formatVersion(identity.version) };
  } catch (error) {
    if (!(error instanceof KubeparcelError) || error.where !== undefined) throw error;
    const { kind, message, hint, cause } = error;
    throw new KubeparcelError(kind, message, { where: path, cause, hint });
  } finally {
    await file.handle.close();
  }
}

async function checkBytes(
  file: PackageFile,
  { signatures, header, end }: Pick<RpmHeaders, 'signatures' | 'header' | 'end'>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const digests = statedDigests(signatures, header);
  const headerCheck = checkDigests(digests, 'header');
  const payloadCheck = checkDigests(digests, 'payload');
  const bothCheck = checkDigests(digests, 'header and payload');
  headerCheck.update(header.bytes);
  bothCheck.update(header.bytes);
  headerCheck.finish();
  for await (const chunk of readFrom(file, end, signal)) {
    payloadCheck.update(chunk);
    bothCheck.update(chunk);
  }
  payloadCheck.finish();
  bothCheck.finish();
}
