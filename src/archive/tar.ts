import { Header } from 'tar/header';
import { checkedContent, readSource, type SourcePart } from './archive-source.ts';
import type { Chunks } from './chunks.ts';

export const BLOCK_SIZE = 512;
/** Bytes; names of owners and groups are NUL-terminated in 32 bytes. */
export const OWNER_NAME_MAX = 31;
/** Bytes; a longer name is written as a separate member before the header. */
const NAME_MAX = 99;
/** The name that GNU tar gives to a member that contains a long name. */
const LONG_NAME = '././@LongLink';

interface TarEntryBase {
  /** Path in the archive: ./usr/bin/kubelet. May end with a slash for directories. */
  readonly path: string;
  /** Permission bits. */
  readonly mode: number;
  readonly owner: string;
  readonly group: string;
  /** Seconds since 1970-01-01 UTC. */
  readonly mtime: number;
}
export type TarEntry = TarEntryBase &
  (
    | {
        readonly kind: 'file';
        readonly size: number;
        readonly content: Chunks;
        /** See SourceContent. Content with a key may be read several times, or not at all. */
        readonly key?: string | undefined;
      }
    | { readonly kind: 'directory' }
    | { readonly kind: 'symlink'; readonly target: string }
  );

const TYPES = { file: 'File', directory: 'Directory', symlink: 'SymbolicLink' } as const;

/**
 * Writes a tar archive for dpkg (deb(5)): ustar headers, GNU members for names and link targets of 100 bytes and more, and
 * base 256 for sizes over 8 GiB. No pax headers, because dpkg rejects them. Owners are written as names, with ID 0. See
 * tar-reader.ts for why the `tar` library is not used.
 *
 * @throws KubeparcelError of kind 'verification' if the content of a file is longer or shorter than its size
 */
export function writeTar(entries: Iterable<TarEntry>): AsyncGenerator<Uint8Array, void, undefined> {
  return readSource(tarSource(entries));
}

/** The same archive as parts, whose contents are not read yet. */
export function* tarSource(entries: Iterable<TarEntry>): Generator<SourcePart, void, undefined> {
  for (const entry of entries) {
    if (Buffer.byteLength(entry.path) > NAME_MAX) {
      yield longName('NextFileHasLongPath', entry.path);
    }
    if (entry.kind === 'symlink' && Buffer.byteLength(entry.target) > NAME_MAX) {
      yield longName('NextFileHasLongLinkpath', entry.target);
    }
    yield encodeHeader(entry);
    if (entry.kind === 'file') {
      yield { key: entry.key ?? '', size: entry.size, open: () => checkedContent(entry, entry.path) };
      yield padding(entry.size);
    }
  }
  yield new Uint8Array(2 * BLOCK_SIZE);
}

function encodeHeader(entry: TarEntry): Uint8Array {
  const block = Buffer.alloc(BLOCK_SIZE);
  new Header({
    type: TYPES[entry.kind],
    path: truncateName(entry.path),
    linkpath: entry.kind === 'symlink' ? truncateName(entry.target) : '',
    mode: entry.mode,
    uid: 0,
    gid: 0,
    uname: entry.owner,
    gname: entry.group,
    size: entry.kind === 'file' ? entry.size : 0,
    mtime: new Date(entry.mtime * 1000),
  }).encode(block);
  return block;
}

function longName(type: 'NextFileHasLongPath' | 'NextFileHasLongLinkpath', name: string): Uint8Array {
  const content = Buffer.from(`${name}\0`);
  const header = Buffer.alloc(BLOCK_SIZE);
  new Header({
    type,
    path: LONG_NAME,
    mode: 0o644,
    uid: 0,
    gid: 0,
    uname: 'root',
    gname: 'root',
    size: content.length,
    mtime: new Date(0),
  }).encode(header);
  return Buffer.concat([header, content, padding(content.length)]);
}

/** The first NAME_MAX bytes of a name, for readers without support for GNU's long names. */
function truncateName(name: string): string {
  let short = '';
  for (const character of name) {
    if (Buffer.byteLength(short + character) > NAME_MAX) {
      break;
    }
    short += character;
  }
  return short;
}

function padding(size: number): Uint8Array {
  return new Uint8Array((BLOCK_SIZE - (size % BLOCK_SIZE)) % BLOCK_SIZE);
}
