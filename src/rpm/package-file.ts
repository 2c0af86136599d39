import { type FileHandle, open } from 'node:fs/promises';
import { KubeparcelError } from '../support/errors.ts';
import { INTRO_LENGTH, type Region } from './header.ts';
import { checkLeadKind, LEAD_LENGTH } from './lead.ts';
import { badHeader, bodyLength, decodeHeader, type Header } from './read-header.ts';
import { signaturePadding } from './signature-header.ts';

/** A package opened for reading. */
export interface PackageFile {
  readonly handle: FileHandle;
  /** Bytes. */
  readonly size: number;
}

/**
 * Reads the header or signature header at an offset.
 *
 * @throws KubeparcelError of kind 'format' for a damaged header
 */
export async function readHeader(file: PackageFile, at: number, region: Region): Promise<Header> {
  const intro = await readExactly(file, at, INTRO_LENGTH);
  const body = await readExactly(file, at + INTRO_LENGTH, bodyLength(intro, region));
  return decodeHeader(Buffer.concat([intro, body]), region);
}

/** The sections before the payload. */
export interface PackageSections {
  readonly lead: Uint8Array;
  readonly signatures: Header;
  readonly header: Header;
  /** Offset in bytes. */
  readonly headerAt: number;
}

/** Reads lead, signature header and header. */
export async function readSections(file: PackageFile): Promise<PackageSections> {
  const lead = await readExactly(file, 0, LEAD_LENGTH);
  checkLeadKind(lead);
  const signatures = await readHeader(file, LEAD_LENGTH, 'signatures');
  const headerAt = await skipPadding(file, LEAD_LENGTH + signatures.bytes.length);
  return { lead, signatures, header: await readHeader(file, headerAt, 'immutable'), headerAt };
}

/** The offset of the header, given the end of the signature header. */
async function skipPadding(file: PackageFile, at: number): Promise<number> {
  const padding = await readExactly(file, at, signaturePadding(at));
  if (padding.some((byte) => byte !== 0)) {
    throw badHeader('signatures', 'is followed by padding that is not zero');
  }
  return at + padding.length;
}

/** @throws KubeparcelError of kind 'io' if the path is not a readable file */
export async function openPackage(path: string): Promise<PackageFile> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, 'r');
    const facts = await handle.stat();
    if (facts.isFile()) {
      return { handle, size: facts.size };
    }
  } catch (cause) {
    await handle?.close();
    throw new KubeparcelError('io', 'the package cannot be read', { where: path, cause });
  }
  await handle.close();
  throw new KubeparcelError('io', 'not a regular file', { where: path, hint: 'give the path of an .rpm file' });
}

/**
 * Reads `length` bytes; never allocates more than the size of the file.
 *
 * @param at offset in bytes
 * @throws KubeparcelError of kind 'format' if the file is too short
 */
export async function readExactly(file: PackageFile, at: number, length: number): Promise<Uint8Array> {
  if (at + length > file.size) {
    throw new KubeparcelError('format', `the package is truncated at ${file.size} bytes`, {
      hint: 'download the package again',
    });
  }
  const bytes = new Uint8Array(length);
  for (let filled = 0; filled < length; ) {
    const { bytesRead } = await file.handle.read(bytes, filled, length - filled, at + filled);
    if (bytesRead === 0) {
      throw new KubeparcelError('io', 'the package was truncated while it was being read');
    }
    filled += bytesRead;
  }
  return bytes;
}

/** Reads from an offset to the end of the file. */
export async function* readFrom(file: PackageFile, at: number, signal: AbortSignal | undefined) {
  const length = 1 << 18;
  for (let position = at; position < file.size; ) {
    signal?.throwIfAborted();
    const chunk = await readExactly(file, position, Math.min(length, file.size - position));
    position += chunk.length;
    yield chunk;
  }
}
