import { createHash } from 'node:crypto';
import { NEWC_SIZE_LIMIT } from '../archive/cpio.ts';
import { contentSha256, contentSize } from '../model/content.ts';
import type { Entry, EntryRole } from '../model/layout.ts';
import { type HeaderEntry, int16, int32, int64, stringArray } from './header.ts';
import { TAGS } from './tags.ts';

/** File types in a mode (inode(7)). */
export const KIND_BITS = { file: 0o100000, directory: 0o040000, symlink: 0o120000 } as const;
export const KIND_MASK = 0o170000;

/** Attributes of a file (rpmfiles.h, "File Attributes"). */
export const FILE_FLAGS = { config: 1 << 0, doc: 1 << 1, noReplace: 1 << 4, ghost: 1 << 6, license: 1 << 7 } as const;

const ROLE_FLAGS: Readonly<Record<EntryRole, number>> = {
  plain: 0,
  config: FILE_FLAGS.config | FILE_FLAGS.noReplace,
  ghost: FILE_FLAGS.ghost,
  doc: FILE_FLAGS.doc,
  license: FILE_FLAGS.license,
};

/** OpenPGP's number of SHA-256 (RFC 4880, 9.4). */
export const DIGEST_SHA256 = 8;

/** `rpm -V` checks everything, except digest, size, link target and time of ghosts. */
const VERIFY_ALL = 0xffffffff;
const VERIFY_GHOST = VERIFY_ALL & ~(1 | 2 | 4 | 32);

/** SHA-256 of no bytes, used for the content of ghosts. */
export const EMPTY_SHA256 = createHash('sha256').digest('hex');

/** An entry with its values in the header. `index` is its position in the list, from 0. */
export interface ListedFile {
  readonly entry: Entry;
  readonly index: number;
  /** File type and permission bits. */
  readonly mode: number;
  /** Bytes; 0 for ghosts and directories, the length of the target for links. */
  readonly size: number;
}

export function listFiles(entries: readonly Entry[]): ListedFile[] {
  return entries.map((entry, index) => ({
    entry,
    index,
    mode: KIND_BITS[entry.kind] | entry.mode,
    size: sizeOf(entry),
  }));
}

/** Whether a file exceeds newc's 32-bit size; the package then uses 64-bit sizes and stripped cpio headers. */
export function hasLargeFiles(files: readonly ListedFile[]): boolean {
  return files.some(({ size }) => size >= NEWC_SIZE_LIMIT);
}

/** The tags of the file list, the installed size and the digest algorithm. */
export function fileEntries(files: readonly ListedFile[]): HeaderEntry[] {
  const total = files.reduce((sum, { size }) => sum + size, 0);
  const installedSize: HeaderEntry =
    total >= NEWC_SIZE_LIMIT ? [TAGS.LONGSIZE, int64([total])] : [TAGS.SIZE, int32([total])];
  const always: HeaderEntry[] = [installedSize, [TAGS.FILEDIGESTALGO, int32([DIGEST_SHA256])]];
  if (files.length === 0) {
    return always;
  }
  const sizes = files.map(({ size }) => size);
  const each = <T>(value: (entry: Entry) => T) => files.map(({ entry }) => value(entry));
  const { dirNames, dirIndexes, baseNames } = splitPaths(each(({ path }) => path));
  return [
    ...always,
    hasLargeFiles(files) ? [TAGS.LONGFILESIZES, int64(sizes)] : [TAGS.FILESIZES, int32(sizes)],
    [TAGS.FILEMODES, int16(files.map(({ mode }) => mode))],
    [TAGS.FILERDEVS, int16(each(() => 0))],
    [TAGS.FILEMTIMES, int32(each(({ mtime }) => mtime))],
    [TAGS.FILEDIGESTS, stringArray(each(digestOf))],
    [TAGS.FILELINKTOS, stringArray(each((entry) => (entry.kind === 'symlink' ? entry.target : '')))],
    [TAGS.FILEFLAGS, int32(each(({ role }) => ROLE_FLAGS[role]))],
    [TAGS.FILEUSERNAME, stringArray(each(({ owner }) => owner))],
    [TAGS.FILEGROUPNAME, stringArray(each(({ group }) => group))],
    [TAGS.FILEVERIFYFLAGS, int32(each(({ role }) => (role === 'ghost' ? VERIFY_GHOST : VERIFY_ALL) >>> 0))],
    // One device and unique inodes: there are no hard links.
    [TAGS.FILEDEVICES, int32(each(() => 1))],
    [TAGS.FILEINODES, int32(files.map(({ index }) => index + 1))],
    [TAGS.FILELANGS, stringArray(each(() => ''))],
    [TAGS.DIRINDEXES, int32(dirIndexes)],
    [TAGS.BASENAMES, stringArray(baseNames)],
    [TAGS.DIRNAMES, stringArray(dirNames)],
  ];
}

function sizeOf(entry: Entry): number {
  if (entry.role === 'ghost' || entry.kind === 'directory') return 0;
  return entry.kind === 'symlink' ? Buffer.byteLength(entry.target) : contentSize(entry.content);
}

function digestOf(entry: Entry): string {
  return entry.kind === 'file' && entry.role !== 'ghost' ? contentSha256(entry.content) : '';
}

/** rpmlib(CompressedFileNames): each directory name once, with its slash, in the order of the files. */
function splitPaths(paths: readonly string[]) {
  const numbers = new Map<string, number>();
  const dirIndexes: number[] = [];
  const baseNames: string[] = [];
  for (const path of paths) {
    const slash = path.lastIndexOf('/') + 1;
    const directory = path.slice(0, slash);
    const number = numbers.get(directory) ?? numbers.size;
    numbers.set(directory, number);
    dirIndexes.push(number);
    baseNames.push(path.slice(slash));
  }
  return { dirNames: [...numbers.keys()], dirIndexes, baseNames };
}
