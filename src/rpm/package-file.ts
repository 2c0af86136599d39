import { type FileHandle, open } from 'node:fs/promises';
import { KubeparcelError } from '../support/errors.ts';
import { INTRO_LENGTH, type Region } from './header.ts';
import { badHeader, bodyLength, decodeHeader, type Header } from './read-header.ts';
import { signaturePadding } from './signature-header.ts';

/** A package that is open for reading. */
export interface PackageFile {
  readonly handle: FileHandle;
  /** Bytes. */
  readonly size: number;
}

/**
 * The header that begins there.
 *
 * @throws KubeparcelError of kind 'format' for a damaged one
 */
export async function readHeader(file: PackageFile, at: number, region: Region): Promise<Header> {
  const intro = await readExactly(file, at, INTRO_LENGTH);
  const body = await readExactly(file, at + INTRO_LENGTH, bodyLength(intro, region));
  return decodeHeader(Buffer.concat([intro, body]), region);
}

/** Where the header begins, for the end of the signature header. */
export async function skipPadding(file: PackageFile, at: number): Promise<number> {
  const padding = await readExactly(file, at, signaturePadding(at));
  if (padding.some((byte) => byte !== 0)) {
    throw badHeader('signatures', 'is followed by bytes that are not padding');
  }
  return at + padding.length;
}

/** @throws KubeparcelError of kind 'io' for what is no file that can be read */
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
  throw new KubeparcelError('io', 'this is no file', { where: path, hint: 'name an .rpm file' });
}

/**
 * Never allocates more than the file has.
 *
 * @param at bytes from the file's begin
 * @throws KubeparcelError of kind 'format' when the file ends before
 */
export async function readExactly(file: PackageFile, at: number, length: number): Promise<Uint8Array> {
  if (at + length > file.size) {
    throw new KubeparcelError('format', `the package is cut short: it ends at ${file.size} bytes`, {
      hint: 'get the package again',
    });
  }
  const bytes = new Uint8Array(length);
  for (let filled = 0; filled < length; ) {
    const { bytesRead } = await file.handle.read(bytes, filled, length - filled, at + filled);
    if (bytesRead === 0) {
      throw new KubeparcelError('io', 'the package became shorter while it was read');
    }
    filled += bytesRead;
  }
  return bytes;
}

/** What follows from there to the file's end, in chunks. */
export async function* readFrom(file: PackageFile, at: number, signal: AbortSignal | undefined) {
  const length = 1 << 18;
  for (let position = at; position < file.size; ) {
    signal?.throwIfAborted();
    const chunk = await readExactly(file, position, Math.min(length, file.size - position));
    position += chunk.length;
    yield chunk;
  }
}
