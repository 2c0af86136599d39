import { KubeparcelError } from '../support/errors.ts';
import { checkedContent, readSource, type SourcePart } from './archive-source.ts';
import { type ByteReader, byteReader } from './byte-reader.ts';
import type { Chunks } from './chunks.ts';

/**
 * The new ASCII format of cpio (cpio(5), 070701): each member is a header of 110 characters with hexadecimal numbers, a
 * name and a content, padded to multiples of four bytes. A member named TRAILER!!! ends the archive.
 *
 * Sizes have 32 bits. For larger files rpm >= 4.12 has a stripped header, 07070X, which contains only the index of the
 * member in the file list of the package.
 */

const NEWC_MAGIC = '070701';
/** The same header with a checksum of the content; rpm ignores the checksum. */
const CRC_MAGIC = '070702';
const STRIPPED_MAGIC = '07070X';
const TRAILER = 'TRAILER!!!';
const FIELDS_LENGTH = 104;
/** Bytes, with the final NUL; rpm's limit. */
const NAME_MAX = 4096;

/** Members of this size and larger need stripped headers: rpm rejects 2^32 - 1 in a newc header. */
export const NEWC_SIZE_LIMIT = 0xffffffff;

interface CpioHeader {
  /** Path in the archive: ./usr/bin/kubelet */
  readonly name: string;
  /** With the file type bits: 0o100755. */
  readonly mode: number;
  /** Seconds since 1970-01-01 UTC. */
  readonly mtime: number;
  readonly inode: number;
}

export interface CpioMember {
  /** Not written if `stripped` is set. */
  readonly header: CpioHeader;
  /** Position in the file list of the package, starting at 0; written only in a stripped header. */
  readonly index: number;
  /** Bytes of content. */
  readonly size: number;
  readonly content: Chunks;
  /** See SourceContent. Content with a key may be read several times, or not at all. */
  readonly key?: string | undefined;
}

/**
 * Writes an archive. Members have owner 0:0 and device 0, because the headers of an RPM contain the owners.
 *
 * @param options.stripped write stripped headers, for archives with a member of NEWC_SIZE_LIMIT bytes or more
 * @throws KubeparcelError of kind 'verification' if the content of a member is longer or shorter than its size
 */
export function writeCpio(
  members: Iterable<CpioMember>,
  options: { readonly stripped: boolean },
): AsyncGenerator<Uint8Array, void, undefined> {
  return readSource(cpioSource(members, options));
}

/** The same archive as parts, whose contents are not read yet. */
export function* cpioSource(
  members: Iterable<CpioMember>,
  options: { readonly stripped: boolean },
): Generator<SourcePart, void, undefined> {
  for (const member of members) {
    const { header, size } = member;
    yield options.stripped ? strippedHeader(member.index) : newcHeader({ ...header, size });
    yield { key: member.key ?? '', size, open: () => checkedContent(member, header.name) };
    yield zeros(padding(size));
  }
  yield newcHeader({ name: TRAILER, mode: 0, mtime: 0, inode: 0, links: 1, size: 0 });
}

function newcHeader(header: CpioHeader & { readonly size: number; readonly links?: number }): Uint8Array {
  const name = Buffer.from(`${header.name}\0`);
  const numbers = [
    header.inode,
    header.mode,
    0, // uid
    0, // gid
    header.links ?? 1,
    header.mtime,
    header.size,
    0, // device, major and minor
    0,
    0, // device number of a device node, major and minor
    0,
    name.length,
    0, // checksum
  ];
  const fixed = Buffer.from(NEWC_MAGIC + numbers.map(hex8).join(''), 'latin1');
  return Buffer.concat([fixed, name, zeros(padding(fixed.length + name.length))]);
}

function strippedHeader(index: number): Uint8Array {
  const header = Buffer.from(STRIPPED_MAGIC + hex8(index), 'latin1');
  return Buffer.concat([header, zeros(padding(header.length))]);
}

function hex8(number: number): string {
  return number.toString(16).padStart(8, '0');
}

/** Number of bytes up to the next multiple of four. */
function padding(length: number): number {
  return (4 - (length % 4)) % 4;
}

function zeros(count: number): Uint8Array {
  return new Uint8Array(count);
}

/** A member of an archive that is being read. */
export type ReadCpioMember = (
  | {
      readonly kind: 'newc';
      /** One character per byte (latin1), because the encoding is unknown. */
      readonly name: string;
      readonly mode: number;
    }
  | { readonly kind: 'stripped'; readonly index: number }
) & {
  /** Bytes of content. */
  readonly size: number;
  /** Read it before requesting the next member, which skips unread content. */
  readonly content: AsyncIterable<Uint8Array>;
};

/**
 * Reads an archive member by member in bounded memory. Only zero bytes may follow the trailer.
 *
 * @param sizeOf content size in bytes by index, for stripped headers; undefined if the package has no such file
 * @throws KubeparcelError of kind 'format' for a damaged or truncated archive
 */
export async function* readCpio(
  chunks: Chunks,
  sizeOf: (index: number) => number | undefined,
): AsyncGenerator<ReadCpioMember, void, undefined> {
  const reader = byteReader(chunks, (missing) => damaged(`truncated, ${missing} bytes missing`));
  try {
    for (;;) {
      const member = await readHeader(reader, sizeOf);
      if (member === undefined) {
        await expectZeros(reader);
        return;
      }
      const content = reader.stream(member.size);
      yield { ...member, content };
      for await (const _ of content) {
        // Skip unread content.
      }
      await skipPadding(reader, member.size);
    }
  } finally {
    await reader.close();
  }
}

type MemberHeader =
  | { readonly kind: 'newc'; readonly name: string; readonly mode: number; readonly size: number }
  | { readonly kind: 'stripped'; readonly index: number; readonly size: number };

async function readHeader(
  reader: ByteReader,
  sizeOf: (index: number) => number | undefined,
): Promise<MemberHeader | undefined> {
  const magic = latin1(await reader.exactly(NEWC_MAGIC.length));
  if (magic === STRIPPED_MAGIC) {
    const index = hexNumber(latin1(await reader.exactly(8)), 0);
    await skipPadding(reader, STRIPPED_MAGIC.length + 8);
    const size = sizeOf(index);
    if (size === undefined) {
      throw damaged(`unknown file index ${index}`);
    }
    return { kind: 'stripped', index, size };
  }
  if (magic !== NEWC_MAGIC && magic !== CRC_MAGIC) {
    throw damaged(`wrong magic number ${JSON.stringify(magic)}`);
  }
  const fields = latin1(await reader.exactly(FIELDS_LENGTH));
  const [mode, size, nameLength] = [hexNumber(fields, 1), hexNumber(fields, 6), hexNumber(fields, 11)];
  if (nameLength < 2 || nameLength > NAME_MAX) {
    throw damaged(`invalid name length ${nameLength}`);
  }
  const name = latin1(await reader.exactly(nameLength));
  if (name.indexOf('\0') !== nameLength - 1) {
    throw damaged('name without terminating NUL');
  }
  await skipPadding(reader, NEWC_MAGIC.length + FIELDS_LENGTH + nameLength);
  const plainName = name.slice(0, -1);
  return plainName === TRAILER ? undefined : { kind: 'newc', name: plainName, mode, size };
}

function hexNumber(fields: string, field: number): number {
  const digits = fields.slice(field * 8, field * 8 + 8);
  if (!/^[0-9a-fA-F]{8}$/.test(digits)) {
    throw damaged(`invalid number ${JSON.stringify(digits)}`);
  }
  return Number.parseInt(digits, 16);
}

async function skipPadding(reader: ByteReader, length: number): Promise<void> {
  if ((await reader.exactly(padding(length))).some((byte) => byte !== 0)) {
    throw damaged('non-zero padding');
  }
}

async function expectZeros(reader: ByteReader): Promise<void> {
  for await (const chunk of reader.rest()) {
    if (chunk.some((byte) => byte !== 0)) {
      throw damaged('trailing bytes');
    }
  }
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}

function damaged(what: string): KubeparcelError {
  return new KubeparcelError('format', `damaged cpio archive (${what})`);
}
