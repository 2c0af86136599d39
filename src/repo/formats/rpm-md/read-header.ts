import { type FileHandle, open } from 'node:fs/promises';
import { formatVersion } from '../../../model/package-version.ts';
import { INTRO_LENGTH, type Region } from '../../../rpm/header.ts';
import { checkLeadIdentity, checkLeadKind, LEAD_LENGTH } from '../../../rpm/lead.ts';
import { badHeader, bodyLength, decodeHeader, type Header, numberOf, textOf } from '../../../rpm/read-header.ts';
import { checkDigests, signaturePadding, statedDigests } from '../../../rpm/signature-header.ts';
import { SIGNATURE_TAGS, TAGS } from '../../../rpm/tags.ts';
import { KubeparcelError } from '../../../support/errors.ts';

/** The headers of an RPM, and where the second one is in the file. */
export interface RpmHeaders {
  readonly signatures: Header;
  readonly header: Header;
  /** Bytes from the file's begin. */
  readonly start: number;
  readonly end: number;
  readonly name: string;
  /** Full version: [epoch:]version-release. */
  readonly version: string;
  readonly architecture: string;
}

/**
 * Reads the headers of an RPM and checks them and the payload against all digests that they state of bytes in the file.
 * The payload is not unpacked.
 *
 * @throws KubeparcelError of kind 'format' for what is no binary RPM of version 3 or 4 or is cut short, of kind
 *   'verification' for a digest that differs
 */
export async function readRpmHeaders(path: string, signal?: AbortSignal): Promise<RpmHeaders> {
  const handle = await open(path, 'r');
  try {
    const { size } = await handle.stat();
    const file = { handle, size, path };
    const lead = await readAt(file, 0, LEAD_LENGTH);
    checkLeadKind(lead);
    const signatures = await readHeader(file, LEAD_LENGTH, 'signatures');
    const signaturesEnd = LEAD_LENGTH + signatures.bytes.length;
    const start = signaturesEnd + signaturePadding(signaturesEnd);
    const header = await readHeader(file, start, 'immutable');
    const end = start + header.bytes.length;
    const needed = (tag: 'NAME' | 'VERSION' | 'RELEASE' | 'ARCH') => {
      const value = textOf(header, TAGS[tag]);
      if (value === undefined || value === '') throw badHeader('immutable', `has no ${tag}`);
      return value;
    };
    const identity = {
      name: needed('NAME'),
      version: { epoch: numberOf(header, TAGS.EPOCH) ?? 0, upstream: needed('VERSION'), revision: needed('RELEASE') },
      architecture: needed('ARCH'),
    };
    checkLeadIdentity(lead, identity);
    checkSize(signatures, size - start);
    await checkBytes(file, { signatures, header, end }, signal);
    return { signatures, header, start, end, ...identity, version: formatVersion(identity.version) };
  } catch (error) {
    if (!(error instanceof KubeparcelError) || error.where !== undefined) throw error;
    const { kind, message, hint, cause } = error;
    throw new KubeparcelError(kind, message, { where: path, cause, ...(hint === undefined ? {} : { hint }) });
  } finally {
    await handle.close();
  }
}

interface PackageFile {
  readonly handle: FileHandle;
  readonly size: number;
}

async function readHeader(file: PackageFile, at: number, region: Region): Promise<Header> {
  const intro = await readAt(file, at, INTRO_LENGTH);
  const body = await readAt(file, at + INTRO_LENGTH, bodyLength(intro, region));
  return decodeHeader(Buffer.concat([intro, body]), region);
}

function checkSize(signatures: Header, found: number): void {
  const stated = numberOf(signatures, SIGNATURE_TAGS.LONGSIGSIZE) ?? numberOf(signatures, SIGNATURE_TAGS.SIGSIZE);
  if (stated === undefined || stated === found) return;
  throw new KubeparcelError('format', `the package is ${found < stated ? 'cut short' : 'followed by other bytes'}`, {
    hint: 'get the package again',
  });
}

async function checkBytes(
  file: PackageFile,
  { signatures, header, end }: Pick<RpmHeaders, 'signatures' | 'header' | 'end'>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const digests = statedDigests(signatures, header);
  const own = checkDigests(digests, 'header');
  const payload = checkDigests(digests, 'payload');
  const both = checkDigests(digests, 'header and payload');
  own.update(header.bytes);
  both.update(header.bytes);
  own.finish();
  for (let at = end; at < file.size; ) {
    signal?.throwIfAborted();
    const chunk = await readAt(file, at, Math.min(1 << 18, file.size - at));
    payload.update(chunk);
    both.update(chunk);
    at += chunk.length;
  }
  payload.finish();
  both.finish();
}

async function readAt({ handle, size }: PackageFile, at: number, length: number): Promise<Uint8Array> {
  if (at + length > size) {
    throw new KubeparcelError('format', `the package is cut short: it ends at ${size} bytes`, {
      hint: 'get the package again',
    });
  }
  const bytes = new Uint8Array(length);
  for (let filled = 0; filled < length; ) {
    const { bytesRead } = await handle.read(bytes, filled, length - filled, at + filled);
    if (bytesRead === 0) throw new KubeparcelError('io', 'the package became shorter while it was read');
    filled += bytesRead;
  }
  return bytes;
}
