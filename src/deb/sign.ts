import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { type ArMember, readAr, writeAr } from '../archive/ar.ts';
import type { Signer } from '../sign/signer.ts';
import { KubeparcelError } from '../support/errors.ts';
import { type WrittenFile, writeAtomically } from '../support/write-atomically.ts';

export interface DebSignOptions {
  /** Signature creation time, seconds since 1970-01-01 UTC. */
  readonly date: number;
  readonly signal?: AbortSignal | undefined;
}

/** The publisher's signature; debsig-verify(1) also knows _gpgmaint and _gpgarchive. */
const SIGNATURE_MEMBER = '_gpgorigin';
/** debian-binary, control.tar, data.tar and additional members. */
const MAX_MEMBERS = 64;
const AR_MAGIC_LENGTH = 8;
const AR_HEADER_LENGTH = 60;

/**
 * Signs a DEB in place in the format of debsigs: a detached signature over the concatenated contents of debian-binary,
 * control.tar and data.tar, in a member `_gpgorigin` at the end of the archive. debsig-verify checks it; dpkg and apt
 * ignore it. An existing `_gpgorigin` is replaced; other members are copied unchanged. The file is replaced atomically.
 *
 * @throws KubeparcelError of kind 'format' for a file that is not a DEB, 'usage' for a signing subkey: debsig-verify finds
 *   only primary keys in its keyring
 */
export async function signDeb(path: string, signer: Signer, options: DebSignOptions): Promise<WrittenFile> {
  if (signer.signingFingerprint !== signer.fingerprint) {
    throw new KubeparcelError('usage', 'debsig-verify does not accept signatures by subkeys', {
      where: signer.signingFingerprint,
      hint: "use a key whose primary key signs (kubeparcel keys new), or rely on apt's signed index for DEBs",
    });
  }
  try {
    const members = await listMembers(path, options.signal);
    const hash = createHash('sha256');
    const signed = members.filter(({ name }) => !name.startsWith('_'));
    const signature = await signer.signDetached(hashed(memberBytes(path, signed, options.signal), hash), options.date);
    const { mode } = await stat(path);
    return await writeAtomically(
      path,
      signedArchive(path, members, { signature, expected: hash.digest('hex') }, options),
      {
        mode: mode & 0o777,
      },
    );
  } catch (error) {
    throw error instanceof KubeparcelError && error.where === undefined ? error.within(path) : error;
  }
}

/** Offsets of a member's header and content in the file, in bytes. */
interface PlacedMember {
  readonly name: string;
  readonly headerAt: number;
  readonly start: number;
  readonly size: number;
}

/** Reads the whole archive, which also validates it. */
async function listMembers(path: string, signal: AbortSignal | undefined): Promise<PlacedMember[]> {
  const members: PlacedMember[] = [];
  let at = AR_MAGIC_LENGTH;
  for await (const { name, size } of readAr(createReadStream(path, { signal }))) {
    members.push({ name, headerAt: at, start: at + AR_HEADER_LENGTH, size });
    at += AR_HEADER_LENGTH + size + (size % 2);
    if (members.length > MAX_MEMBERS)
      throw new KubeparcelError('format', `the archive has more than ${MAX_MEMBERS} members`);
  }
  const [first, control, data, ...others] = members.filter(({ name }) => !name.startsWith('_')).map(({ name }) => name);
  const isDeb = first === 'debian-binary' && control?.startsWith('control.tar') && data?.startsWith('data.tar');
  if (!isDeb || others.length > 0) {
    throw new KubeparcelError('format', 'an ar archive, but not a DEB package');
  }
  return members;
}

async function* memberBytes(path: string, members: readonly PlacedMember[], signal: AbortSignal | undefined) {
  for (const { start, size } of members) {
    if (size > 0) yield* createReadStream(path, { start, end: start + size - 1, signal }) as AsyncIterable<Uint8Array>;
  }
}

async function* hashed(chunks: AsyncIterable<Uint8Array>, hash: ReturnType<typeof createHash>) {
  for await (const chunk of chunks) {
    hash.update(chunk);
    yield chunk;
  }
}

/** The existing members without the old signature, then the new signature. */
async function* signedArchive(
  path: string,
  members: readonly PlacedMember[],
  { signature, expected }: { readonly signature: Uint8Array; readonly expected: string },
  { date, signal }: DebSignOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const hash = createHash('sha256');
  yield* createReadStream(path, { end: AR_MAGIC_LENGTH - 1 });
  for (const member of members.filter(({ name }) => name !== SIGNATURE_MEMBER)) {
    const { headerAt, start, size, name } = member;
    yield* createReadStream(path, { start: headerAt, end: start - 1 });
    const content = memberBytes(path, [member], signal);
    yield* name.startsWith('_') ? content : hashed(content, hash);
    if (size % 2 === 1) yield Buffer.from('\n');
  }
  if (hash.digest('hex') !== expected) {
    throw new KubeparcelError('io', 'the package changed while it was being signed', {
      where: path,
      hint: 'sign it again',
    });
  }
  const own: ArMember = { name: SIGNATURE_MEMBER, size: signature.length, content: [signature] };
  let magic = true;
  for await (const chunk of writeAr([own], date)) {
    if (!magic) yield chunk;
    magic = false;
  }
}
