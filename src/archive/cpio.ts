import { KubeparcelError } from '../support/errors.ts';
import { readSource, type SourcePart } from './archive-source.ts';
import { type ByteReader, byteReader } from './byte-reader.ts';
import type { Chunks } from './chunks.ts';

/**
 * cpio's "new ASCII" format (cpio(5), 070701): every member is a header of 110 characters with numbers in hexadecimal,
 * its name, and its content, each padded to a multiple of four bytes; a member named TRAILER!!! ends the archive.
 *
 * Its sizes have 32 bits. For larger files rpm >= 4.12 has a stripped header of its own, 07070X, which holds nothing but the
 * member's index in the package's list of files; everything else stands in that list.
 */

const NEWC_MAGIC = '070701';
/** The same header with a sum of the content's bytes, which rpm reads and does not check. */
const CRC_MAGIC = '070702';
const STRIPPED_MAGIC = '07070X';
const TRAILER = 'TRAILER!!!';
const FIELDS_LENGTH = 104;
/** As rpm limits it. */
const NAME_MAX = 4096;

/** The first size that a member with a newc header cannot have; rpm gives up at 2^32 - 1 already. */
export const NEWC_SIZE_LIMIT = 0xffffffff;

interface CpioHeader {
  /** As it stands in the archive: ./usr/bin/kubelet */
  readonly name: string;
  /** With the bits of the file's kind: 0o100755. */
  readonly mode: number;
  /** Seconds since 1970-01-01 UTC. */
  readonly mtime: number;
  readonly inode: number;
}

export interface CpioMember {
  /** What the header says; only `index` of it is written when `stripped` is set. */
  readonly header: CpioHeader;
  /** Position in the package's list of files, from 0; only a stripped header holds it. */
  readonly index: number;
  /** Bytes of content. */
  readonly size: number;
  readonly content: Chunks;
  /** See SourceContent; content with a key may be read more than once, or not at all. */
  readonly key?: string;
}

/**
 * Writes an archive. Every member is owned by root (0:0) and stands on device 0: an RPM says owners by name elsewhere.
 *
 * @param stripped write rpm's stripped headers, for archives with a member of NEWC_SIZE_LIMIT bytes or more
 * @throws KubeparcelError of kind 'verification' when a content is longer or shorter than its size
 */
export function writeCpio(
  members: Iterable<CpioMember>,
  options: { readonly stripped: boolean },
): AsyncGenerator<Uint8Array, void, undefined> {
  return readSource(cpioSource(members, options));
}

/** The same archive in pieces: contents are not read yet. */
export function* cpioSource(
  members: Iterable<CpioMember>,
  options: { readonly stripped: boolean },
): Generator<SourcePart, void, undefined> {
  for (const member of members) {
    const { header, size } = member;
    yield options.stripped ? strippedHeader(member.index) : newcHeader({ ...header, size });
    yield { key: member.key ?? '', size, open: () => checkedContent(member) };
    yield zeros(padding(size));
  }
  yield newcHeader({ name: TRAILER, mode: 0, mtime: 0, inode: 0, links: 1, size: 0 });
}

async function* checkedContent({ header, size, content }: CpioMember) {
  let left = size;
  for await (const chunk of content) {
    left -= chunk.length;
    if (left < 0) {
      break;
    }
    yield chunk;
  }
  if (left !== 0) {
    throw new KubeparcelError('verification', `a file is ${left < 0 ? 'longer' : 'shorter'} than its ${size} bytes`, {
      where: header.name,
      hint: 'run the command again: damaged objects of the store are fetched anew',
    });
  }
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
    0, // device that a device node stands for, major and minor
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

/** How many bytes are missing to a multiple of four. */
function padding(length: number): number {
  return (4 - (length % 4)) % 4;
}

function zeros(count: number): Uint8Array {
  return new Uint8Array(count);
}

/** A member as it is read. */
export type ReadCpioMember = (
  | {
      readonly kind: 'newc';
      /** The name's bytes, one character each (latin1): nothing says in which encoding they are. */
      readonly name: string;
      readonly mode: number;
    }
  | { readonly kind: 'stripped'; readonly index: number }
) & {
  /** Bytes of content. */
  readonly size: number;
  /** To be read before the next member; what is left unread is passed over. */
  readonly content: AsyncIterable<Uint8Array>;
};

/**
 * Reads an archive member by member, in bounded memory, up to its trailer; after that only zero bytes may come.
 *
 * @param sizeOf size in bytes of the content of the member with this index, for stripped headers, which do not say it; undefined when there is no such
 *   member
 * @throws KubeparcelError of kind 'format' for what is no such archive, or is cut short
 */
export async function* readCpio(
  chunks: Chunks,
  sizeOf: (index: number) => number | undefined,
): AsyncGenerator<ReadCpioMember, void, undefined> {
  const reader = byteReader(chunks, (missing) => damaged(`it is cut short: ${missing} bytes are missing`));
  try {
    for (;;) {
      const member = await readHeader(reader, sizeOf);
      if (member === undefined) {
        await expectZeros(reader);
        return;
      }
      const content = reader.stream(member.size);
      yield { ...member, content };
      for await (const _rest of content) {
        // Passed over.
      }
      await skipPadding(reader, member.size);
    }
  } finally {
    await reader.close();
  }
}

type MemberFacts =
  | { readonly kind: 'newc'; readonly name: string; readonly mode: number; readonly size: number }
  | { readonly kind: 'stripped'; readonly index: number; readonly size: number };

async function readHeader(
  reader: ByteReader,
  sizeOf: (index: number) => number | undefined,
): Promise<MemberFacts | undefined> {
  const magic = latin1(await reader.exactly(NEWC_MAGIC.length));
  if (magic === STRIPPED_MAGIC) {
    const index = hexNumber(latin1(await reader.exactly(8)), 0);
    await skipPadding(reader, STRIPPED_MAGIC.length + 8);
    const size = sizeOf(index);
    if (size === undefined) {
      throw damaged(`it holds a file of the index ${index}, which the package does not have`);
    }
    return { kind: 'stripped', index, size };
  }
  if (magic !== NEWC_MAGIC && magic !== CRC_MAGIC) {
    throw damaged(`a member begins with ${JSON.stringify(magic)}`);
  }
  const fields = latin1(await reader.exactly(FIELDS_LENGTH));
  const [mode, size, nameLength] = [hexNumber(fields, 1), hexNumber(fields, 6), hexNumber(fields, 11)];
  if (nameLength < 2 || nameLength > NAME_MAX) {
    throw damaged(`a member's name has ${nameLength} bytes`);
  }
  const name = latin1(await reader.exactly(nameLength));
  if (name.indexOf('\0') !== nameLength - 1) {
    throw damaged('a member has a name that does not end where it says');
  }
  await skipPadding(reader, NEWC_MAGIC.length + FIELDS_LENGTH + nameLength);
  const plainName = name.slice(0, -1);
  return plainName === TRAILER ? undefined : { kind: 'newc', name: plainName, mode, size };
}

function hexNumber(fields: string, field: number): number {
  const digits = fields.slice(field * 8, field * 8 + 8);
  if (!/^[0-9a-fA-F]{8}$/.test(digits)) {
    throw damaged(`a member's header has ${JSON.stringify(digits)} for a number`);
  }
  return Number.parseInt(digits, 16);
}

async function skipPadding(reader: ByteReader, length: number): Promise<void> {
  if ((await reader.exactly(padding(length))).some((byte) => byte !== 0)) {
    throw damaged('the padding behind a member is not empty');
  }
}

async function expectZeros(reader: ByteReader): Promise<void> {
  for await (const chunk of reader.rest()) {
    if (chunk.some((byte) => byte !== 0)) {
      throw damaged('bytes follow its end');
    }
  }
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}

function damaged(what: string): KubeparcelError {
  return new KubeparcelError('format', `the cpio archive is damaged: ${what}`);
}
