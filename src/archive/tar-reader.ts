import { Pax } from 'tar/pax';
import { KubeparcelError } from '../support/errors.ts';
import { type ByteReader, byteReader } from './byte-reader.ts';
import type { Chunks } from './chunks.ts';
import { BLOCK_SIZE } from './tar.ts';

/** Bytes; twice PATH_MAX of Linux. */
const LONG_NAME_MAX = 8192;
const PAX_HEADER_MAX = 1 << 16;

interface TarMemberBase {
  /** As in the archive, unchecked. A directory has no trailing slash. */
  readonly path: string;
  /** Permission bits, 0 to 0o7777. */
  readonly mode: number;
  /** Name, or the decimal ID if the archive has no name; `root` for ID 0. */
  readonly owner: string;
  readonly group: string;
  /** Seconds since 1970-01-01 UTC, 0 to 2^32-1. */
  readonly mtime: number;
}
export type TarMember = TarMemberBase &
  (
    | { readonly kind: 'file'; readonly size: number; readonly content: AsyncIterable<Uint8Array> }
    | { readonly kind: 'directory' }
    | { readonly kind: 'symlink'; readonly target: string }
    /** Another name of an earlier file; `target` is its path. */
    | { readonly kind: 'hardlink'; readonly target: string }
  );

export interface ReadTarOptions {
  /** Accept pax headers (POSIX.1-2017 pax, "pax Header Block"), which dpkg does not support. */
  readonly pax?: boolean;
}

/*
 * Why the `tar` library is used only for headers and pax records, and not to read and write archives:
 *
 * - Its parser (7.5, even in strict mode) accepts an archive without an end marker, with a truncated header or with bytes
 *   after the end. It skips members of unknown types, and reads an invalid size as 0. dpkg-deb and this reader reject all of
 *   these. Packages and upstream archives are untrusted, so both go through this reader.
 * - Its writer takes contents as files or streams and produces one byte stream. Here, contents must stay separate from
 *   headers, so that each large file is compressed only once. Also, dpkg needs GNU long names instead of pax headers.
 */

/**
 * Reads a tar archive like dpkg (deb(5)): v7, ustar and GNU headers, GNU long names, sizes in base 256. Skips the rest of
 * a file's content when the next member is requested. Memory is bounded for any archive. The caller has to check paths.
 *
 * @throws KubeparcelError of kind 'format' for a damaged or truncated archive; for devices, pipes and sparse files; for pax
 *   headers, unless accepted; and for bytes other than zero after the end
 */
export async function* readTar(
  chunks: Chunks,
  options: ReadTarOptions = {},
): AsyncGenerator<TarMember, void, undefined> {
  const reader = byteReader(chunks, () => new KubeparcelError('format', 'the tar archive is truncated'));
  try {
    let longPath: string | undefined;
    let longTarget: string | undefined;
    let pax: Pax | undefined;
    for (;;) {
      const block = Buffer.from((await reader.exactly(BLOCK_SIZE)).buffer);
      if (block.every((byte) => byte === 0)) {
        break;
      }
      const header = parseHeader(block);
      if (header.type === 'L') {
        longPath = await readLongName(reader, header.size);
        continue;
      }
      if (header.type === 'K') {
        longTarget = await readLongName(reader, header.size);
        continue;
      }
      if (options.pax === true && (header.type === 'x' || header.type === 'g')) {
        const parsed = await readPax(reader, header.size);
        // Global headers ('g') are ignored: they contain only comments and times.
        if (header.type === 'x') pax = parsed;
        continue;
      }
      const path = pax?.path ?? longPath ?? header.path;
      const target = pax?.linkpath ?? longTarget ?? header.target;
      const size = pax?.size ?? header.size;
      longPath = undefined;
      longTarget = undefined;
      pax = undefined;
      yield* member(reader, { ...header, size }, path, target);
    }
    for await (const chunk of reader.rest()) {
      if (chunk.some((byte) => byte !== 0)) {
        throw new KubeparcelError('format', 'bytes follow the end of the tar archive');
      }
    }
  } finally {
    await reader.close();
  }
}

async function* member(
  reader: ByteReader,
  header: RawHeader,
  path: string,
  target: string,
): AsyncGenerator<TarMember, void, undefined> {
  const { mode, owner, group, mtime } = header;
  const base = { path: path.replace(/(?<=[^/])\/+$/, ''), mode, owner, group, mtime };
  switch (header.type) {
    case '0':
    case '7':
    case '\0': {
      // Before ustar, a trailing slash marked a directory.
      if (path.endsWith('/')) {
        yield { ...base, kind: 'directory' };
        return;
      }
      const content = reader.stream(header.size);
      yield { ...base, kind: 'file', size: header.size, content };
      for await (const _ of content) {
        // Skip unread content.
      }
      await reader.exactly(paddingLength(header.size));
      return;
    }
    case '1':
      yield { ...base, kind: 'hardlink', target };
      return;
    case '2':
      yield { ...base, kind: 'symlink', target };
      return;
    case '5':
      yield { ...base, kind: 'directory' };
      return;
    default:
      throw new KubeparcelError('format', `the tar archive contains ${kindName(header.type)}`, { where: path });
  }
}

const KIND_NAMES: Readonly<Record<string, string>> = {
  '3': 'a character device',
  '4': 'a block device',
  '6': 'a named pipe',
  x: 'a pax header, which dpkg does not support',
  g: 'a pax header, which dpkg does not support',
};

function kindName(type: string): string {
  return KIND_NAMES[type] ?? `a member of unknown type ${JSON.stringify(type)}`;
}

async function readLongName(reader: ByteReader, size: number): Promise<string> {
  if (size > LONG_NAME_MAX) {
    throw damaged(`a name of ${size} bytes`);
  }
  const bytes = await reader.exactly(size);
  await reader.exactly(paddingLength(size));
  return decodeText(bytes);
}

async function readPax(reader: ByteReader, size: number): Promise<Pax> {
  if (size > PAX_HEADER_MAX) {
    throw damaged(`a pax header of ${size} bytes`);
  }
  const bytes = await reader.exactly(size);
  await reader.exactly(paddingLength(size));
  let pax: Pax;
  try {
    pax = Pax.parse(decodeText(bytes));
  } catch (cause) {
    throw damaged('invalid pax header', cause);
  }
  if (pax.size !== undefined && (!Number.isSafeInteger(pax.size) || pax.size < 0)) {
    throw damaged('invalid number');
  }
  return pax;
}

interface RawHeader {
  readonly path: string;
  readonly target: string;
  readonly type: string;
  readonly mode: number;
  readonly owner: string;
  readonly group: string;
  readonly size: number;
  readonly mtime: number;
}

/** tar(5): the fields of v7, ustar and GNU tar. */
function parseHeader(block: Buffer): RawHeader {
  const field = (offset: number, length: number) => block.subarray(offset, offset + length);
  // The bytes of the checksum field are counted as spaces.
  const sum = block.reduce((total, byte) => total + byte, 0) - field(148, 8).reduce((total, byte) => total + byte, 0);
  if (parseNumber(field(148, 8)) !== sum + 8 * 0x20) {
    throw damaged('wrong header checksum');
  }
  const magic = field(257, 8).toString('latin1');
  const ustar = magic === 'ustar\x0000';
  const hasOwnerNames = ustar || magic === 'ustar  \0';
  const prefix = ustar ? decodeText(field(345, 155)) : '';
  const name = decodeText(field(0, 100));
  const owner = hasOwnerNames ? decodeText(field(265, 32)) : '';
  const group = hasOwnerNames ? decodeText(field(297, 32)) : '';
  const mtime = parseNumber(field(136, 12));
  if (mtime > 0xffffffff) {
    throw damaged('time exceeds 32 bits');
  }
  return {
    path: prefix === '' ? name : `${prefix}/${name}`,
    target: decodeText(field(157, 100)),
    type: field(156, 1).toString('latin1'),
    mode: parseNumber(field(100, 8)) & 0o7777,
    owner: owner === '' ? numericOwner(parseNumber(field(108, 8))) : owner,
    group: group === '' ? numericOwner(parseNumber(field(116, 8))) : group,
    size: parseNumber(field(124, 12)),
    mtime,
  };
}

function numericOwner(id: number): string {
  return id === 0 ? 'root' : String(id);
}

/** An octal number, padded with spaces and ended by a space or NUL, or GNU's big-endian binary with the top bit set. */
function parseNumber(field: Buffer): number {
  if (field[0] === 0x80) {
    const value = field.subarray(1).reduce((sum, byte) => sum * 256 + byte, 0);
    if (Number.isSafeInteger(value)) {
      return value;
    }
  }
  const digits = /^ *([0-7]*)(?:[ \0]|$)/.exec(field.toString('latin1'))?.[1];
  if (digits === undefined) {
    throw damaged('invalid number');
  }
  return digits === '' ? 0 : Number.parseInt(digits, 8);
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Text up to the first NUL. */
function decodeText(field: Uint8Array): string {
  const end = field.indexOf(0);
  try {
    return UTF8.decode(end < 0 ? field : field.subarray(0, end));
  } catch (cause) {
    throw new KubeparcelError('format', 'the tar archive contains a name that is not UTF-8', { cause });
  }
}

function damaged(what: string, cause?: unknown): KubeparcelError {
  return new KubeparcelError('format', `damaged tar archive (${what})`, { cause });
}

function paddingLength(size: number): number {
  return (BLOCK_SIZE - (size % BLOCK_SIZE)) % BLOCK_SIZE;
}
