import { createHash } from 'node:crypto';
import { readTar, type TarMember } from '../archive/tar-reader.ts';
import type { ReadPackage } from '../layout/packager.ts';
import type { Content } from '../model/content.ts';
import { type Entry, type EntryRole, sortByPath } from '../model/layout.ts';
import { KubeparcelError } from '../support/errors.ts';
import { changelogPaths } from './documents.ts';
import type { ControlArchive } from './read-control.ts';

/** Bounds the memory; no real package comes close. */
const MAX_ENTRIES = 300_000;
const MAX_PATH_BYTES = 64 << 20;
const MAX_PATH = 4096;
/** Larger changelogs and copyright files are not parsed. */
const MAX_DOCUMENT = 4 << 20;

export interface DataArchive {
  /** Sorted by path. */
  readonly entries: readonly Entry[];
  /** The verified md5sums. */
  readonly digests: ReadPackage['digests'];
  /** The bytes of the changelog and the copyright file by path. */
  readonly documents: ReadonlyMap<string, Uint8Array>;
}

interface ReadFile {
  readonly content: Content;
  readonly md5: string;
}

/**
 * Reads a data.tar and compares it with md5sums and conffiles. The caller limits its size.
 *
 * @throws KubeparcelError of kind 'format'
 */
export async function readData(tar: AsyncIterable<Uint8Array>, control: ControlArchive): Promise<DataArchive> {
  const { name } = control.facts;
  const documentPaths = new Set([...changelogPaths(name), `/usr/share/doc/${name}/copyright`]);
  const entries = new Map<string, Entry>();
  const files = new Map<string, ReadFile>();
  const documents = new Map<string, Uint8Array>();
  let pathBytes = 0;
  for await (const member of readTar(tar)) {
    const path = hostPath(member.path);
    pathBytes += path.length + ('target' in member ? member.target.length : 0);
    if (entries.size >= MAX_ENTRIES || pathBytes > MAX_PATH_BYTES) {
      throw new KubeparcelError(
        'format',
        `the package contains more than ${MAX_ENTRIES} files or ${MAX_PATH_BYTES} bytes of paths`,
      );
    }
    if (path === '/' && member.kind === 'directory') {
      continue;
    }
    if (path === '/' || entries.has(path)) {
      throw new KubeparcelError('format', 'the archive contains this path twice', { where: path });
    }
    if (member.kind === 'file') {
      const keep = documentPaths.has(path) && member.size <= MAX_DOCUMENT;
      const { file, bytes } = await digestFile(member, keep);
      files.set(path, file);
      if (bytes !== undefined) {
        documents.set(path, bytes);
      }
    }
    const entry = toEntry(member, path, files, roleOf(member, path, control.conffiles));
    entries.set(path, entry);
  }
  checkParents(entries);
  return { entries: sortByPath(entries.values()), digests: checkDigests(files, control), documents };
}

/** The absolute path of a member named ./usr or usr. */
function hostPath(path: string): string {
  const relative = path.replace(/^\.(?:\/+|$)/, '');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: rejects control characters
  const plain = !/(^|\/)\.{0,2}(\/|$)|[\u0000-\u001f\u007f]/.test(relative) || relative === '';
  if (path === '' || !plain || Buffer.byteLength(path) > MAX_PATH) {
    throw new KubeparcelError('format', 'the archive contains an invalid path or one outside the package', {
      where: JSON.stringify(path.slice(0, 200)),
    });
  }
  return `/${relative}`;
}

async function digestFile(
  { size, content }: TarMember & { readonly kind: 'file' },
  keep: boolean,
): Promise<{ file: ReadFile; bytes: Uint8Array | undefined }> {
  const sha256 = createHash('sha256');
  const md5 = createHash('md5');
  const parts: Uint8Array[] = [];
  for await (const chunk of content) {
    sha256.update(chunk);
    md5.update(chunk);
    if (keep) {
      parts.push(Buffer.from(chunk));
    }
  }
  const file: ReadFile = { content: { kind: 'stored', sha256: sha256.digest('hex'), size }, md5: md5.digest('hex') };
  return { file, bytes: keep ? Buffer.concat(parts) : undefined };
}

function toEntry(member: TarMember, path: string, files: Map<string, ReadFile>, role: EntryRole): Entry {
  const { mode, owner, group, mtime } = member;
  const base = { path, mode, owner, group, mtime, role };
  switch (member.kind) {
    case 'directory':
      return { ...base, kind: 'directory' };
    case 'symlink':
      if (member.target === '') {
        throw new KubeparcelError('format', 'a symbolic link with an empty target', { where: path });
      }
      return { ...base, kind: 'symlink', target: member.target };
    case 'file':
    case 'hardlink': {
      const file = files.get(member.kind === 'file' ? path : hostPath(member.target));
      if (file === undefined) {
        throw new KubeparcelError('format', 'a hard link to a file that does not precede it in the archive', {
          where: path,
        });
      }
      files.set(path, file);
      return { ...base, kind: 'file', content: file.content };
    }
  }
}

function roleOf(member: TarMember, path: string, conffiles: ReadonlySet<string>): EntryRole {
  if (member.kind !== 'file' && member.kind !== 'hardlink') return 'plain';
  if (conffiles.has(path)) return 'config';
  if (!path.startsWith('/usr/share/doc/')) return 'plain';
  return path.endsWith('/copyright') ? 'license' : 'doc';
}

/** Rejects entries below a path that is not a directory: a link there would redirect them. */
function checkParents(entries: ReadonlyMap<string, Entry>): void {
  // With `/` sorting before every other character, the entries below a path directly follow it.
  const byPath = [...entries.values()].map((entry) => ({ entry, key: `${entry.path.replaceAll('/', '\0')}\0` }));
  let leaf: (typeof byPath)[number] | undefined;
  for (const each of byPath.sort((a, b) => (a.key < b.key ? -1 : 1))) {
    if (leaf !== undefined && each.key.startsWith(leaf.key)) {
      throw new KubeparcelError('format', `${leaf.entry.path} is not a directory, but contains this path`, {
        where: each.entry.path,
      });
    }
    if (each.entry.kind !== 'directory') {
      leaf = each;
    }
  }
}

function checkDigests(files: ReadonlyMap<string, ReadFile>, control: ControlArchive): DataArchive['digests'] {
  for (const path of control.conffiles) {
    if (!files.has(path)) {
      throw new KubeparcelError('format', 'a conffile is not in the package', { where: path });
    }
  }
  for (const [path, stated] of control.md5sums) {
    const found = files.get(path)?.md5;
    if (found !== stated) {
      const message =
        found === undefined
          ? 'a file in md5sums is not in the package'
          : `the MD5 of the file is ${found}, but md5sums states ${stated}`;
      throw new KubeparcelError('format', message, { where: path, hint: 'fetch the package again' });
    }
  }
  return [...control.md5sums].map(([of, value]) => ({ of, algorithm: 'md5', value }));
}
