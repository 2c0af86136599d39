import type { EntryRole } from '../model/layout.ts';
import { KubeparcelError } from '../support/errors.ts';
import { DIGEST_SHA256, FILE_FLAGS, KIND_BITS, KIND_MASK } from './file-list.ts';
import { decodeText, type Header, numberOf, numbersOf, rawStringsOf, textsOf } from './read-header.ts';
import { TAGS } from './tags.ts';

/** Algorithms of file digests by OpenPGP number (RFC 4880, 9.4). */
const DIGEST_NAMES: ReadonlyMap<number, string> = new Map([
  [1, 'md5'],
  [2, 'sha1'],
  [DIGEST_SHA256, 'sha256'],
  [9, 'sha384'],
  [10, 'sha512'],
  [11, 'sha224'],
]);
const DIGEST_MD5 = 1;

/** A file in the header. */
export interface StatedFile {
  readonly path: string;
  /** The path as latin1 (one character per byte), as in the names of cpio members. */
  readonly rawPath: string;
  readonly kind: keyof typeof KIND_BITS;
  /** Permission bits. */
  readonly mode: number;
  readonly owner: string;
  readonly group: string;
  readonly mtime: number;
  readonly role: EntryRole;
  /** Bytes. */
  readonly size: number;
  /** Of the content, in hex; '' if there is none. */
  readonly digest: string;
  readonly target: string;
  /** Device and inode: equal for files that are hard links of each other. */
  readonly linkSet: string;
}

export interface FileList {
  /** In the order of the header. */
  readonly files: readonly StatedFile[];
  /** Name in node:crypto. */
  readonly digestAlgorithm: string;
}

/**
 * Reads the file list of a header.
 *
 * @throws KubeparcelError of kind 'format' for lists of different lengths, paths that are not absolute and normalized, and
 *   devices, sockets and pipes, which a layout cannot represent
 */
export function readFileList(header: Header): FileList {
  const algorithm = numberOf(header, TAGS.FILEDIGESTALGO) ?? DIGEST_MD5;
  const digestAlgorithm = DIGEST_NAMES.get(algorithm);
  if (digestAlgorithm === undefined) {
    throw badList(`the file digests have the unknown algorithm ${algorithm}`);
  }
  const paths = readPaths(header);
  const column = <T>(name: string, values: readonly T[] | undefined): readonly T[] => {
    if (values?.length !== paths.length) {
      throw badList(`${paths.length} files, but ${values?.length ?? 0} ${name}`);
    }
    return values;
  };
  const optional = <T>(name: string, values: readonly T[] | undefined, usual: T): readonly T[] =>
    values === undefined ? paths.map(() => usual) : column(name, values);
  if (paths.length === 0) {
    return { files: [], digestAlgorithm };
  }
  const sizes = column('sizes', numbersOf(header, TAGS.LONGFILESIZES) ?? numbersOf(header, TAGS.FILESIZES));
  const modes = column('modes', numbersOf(header, TAGS.FILEMODES));
  const mtimes = column('times', numbersOf(header, TAGS.FILEMTIMES));
  const digests = column('digests', textsOf(header, TAGS.FILEDIGESTS));
  const targets = column('link targets', textsOf(header, TAGS.FILELINKTOS));
  const flags = column('flags', numbersOf(header, TAGS.FILEFLAGS));
  const owners = column('owners', textsOf(header, TAGS.FILEUSERNAME));
  const groups = column('groups', textsOf(header, TAGS.FILEGROUPNAME));
  const devices = optional('devices', numbersOf(header, TAGS.FILEDEVICES), 0);
  const inodes = column('inodes', numbersOf(header, TAGS.FILEINODES));
  const files = paths.map((rawPath, i): StatedFile => {
    const mode = modes[i] ?? 0;
    const path = decodeText(rawPath);
    return {
      path,
      rawPath,
      kind: kindOf(mode, path),
      mode: mode & 0o7777,
      owner: owners[i] ?? '',
      group: groups[i] ?? '',
      mtime: mtimes[i] ?? 0,
      role: roleOf(flags[i] ?? 0),
      size: sizes[i] ?? 0,
      digest: digests[i] ?? '',
      target: targets[i] ?? '',
      linkSet: `${devices[i]}:${inodes[i]}`,
    };
  });
  if (new Set(paths).size !== paths.length) {
    throw badList('a file is listed twice');
  }
  return { files, digestAlgorithm };
}

/** Full paths as latin1. */
function readPaths(header: Header): string[] {
  const baseNames = rawStringsOf(header, TAGS.BASENAMES);
  if (baseNames === undefined) {
    return (rawStringsOf(header, TAGS.OLDFILENAMES) ?? []).map(normalizedPath);
  }
  const directories = rawStringsOf(header, TAGS.DIRNAMES) ?? [];
  const indexes = numbersOf(header, TAGS.DIRINDEXES) ?? [];
  return baseNames.map((name, i) => {
    const directory = directories[indexes[i] ?? -1];
    if (directory === undefined || name.includes('/')) {
      throw badList(`the file ${JSON.stringify(name)} has no valid directory`);
    }
    return normalizedPath(directory + name);
  });
}

/** The root is allowed: the package `filesystem` contains it. */
function normalizedPath(path: string): string {
  if (path !== '/' && (!path.startsWith('/') || /\/(\.{0,2})(\/|$)/.test(path))) {
    throw badList(`invalid path ${JSON.stringify(path)}`);
  }
  return path;
}

function kindOf(mode: number, path: string): StatedFile['kind'] {
  for (const [kind, bits] of Object.entries(KIND_BITS)) {
    if ((mode & KIND_MASK) === bits) {
      return kind as StatedFile['kind'];
    }
  }
  throw badList(`${JSON.stringify(path)} is a device, a socket or a pipe`);
}

function roleOf(flags: number): EntryRole {
  if ((flags & FILE_FLAGS.ghost) !== 0) return 'ghost';
  if ((flags & FILE_FLAGS.config) !== 0) return 'config';
  if ((flags & FILE_FLAGS.license) !== 0) return 'license';
  return (flags & FILE_FLAGS.doc) !== 0 ? 'doc' : 'plain';
}

export function badList(what: string): KubeparcelError {
  return new KubeparcelError('format', `invalid file list: ${what}`);
}
