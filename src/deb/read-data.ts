import { createHash } from 'node:crypto';
import { readTar, type TarMember } from '../archive/tar-reader.ts';
import type { ReadPackage } from '../layout/packager.ts';
import type { Content } from '../model/content.ts';
import type { Entry, EntryRole } from '../model/layout.ts';
import { KubeparcelError } from '../support/errors.ts';
import { changelogPaths } from './documents.ts';
import type { ControlArchive } from './read-control.ts';

/** More than any package has, and few enough to hold. */
const MAX_ENTRIES = 300_000;
const MAX_PATH_BYTES = 64 << 20;
const MAX_PATH = 4096;
/** Of the documents that are looked into; larger ones are not. */
const MAX_KEPT = 4 << 20;

export interface DataArchive {
  /** Sorted by path. */
  readonly entries: readonly Entry[];
  /** MD5 sums that the package states and its files have. */
  readonly digests: ReadPackage['digests'];
  /** The bytes of its changelog and copyright file by path. */
  readonly kept: ReadonlyMap<string, Uint8Array>;
}

interface SeenFile {
  readonly content: Content;
  readonly md5: string;
}

/**
 * Reads a data.tar, which the caller has bounded, and compares it with md5sums and conffiles.
 *
 * @throws KubeparcelError of kind 'format'
 */
export async function readData(tar: AsyncIterable<Uint8Array>, control: ControlArchive): Promise<DataArchive> {
  const { name } = control.facts;
  const wanted = new Set([...changelogPaths(name), `/usr/share/doc/${name}/copyright`]);
  const entries = new Map<string, Entry>();
  const files = new Map<string, SeenFile>();
  const kept = new Map<string, Uint8Array>();
  let pathBytes = 0;
  for await (const member of readTar(tar)) {
    const path = hostPath(member.path);
    pathBytes += path.length + ('target' in member ? member.target.length : 0);
    if (entries.size >= MAX_ENTRIES || pathBytes > MAX_PATH_BYTES) {
      throw new KubeparcelError('format', `it holds more than ${MAX_ENTRIES} files, or names longer than can be`);
    }
    if (path === '/' && member.kind === 'directory') {
      continue;
    }
    if (path === '/' || entries.has(path)) {
      throw new KubeparcelError('format', 'it is there twice', { where: path });
    }
    if (member.kind === 'file') {
      const keep = wanted.has(path) && member.size <= MAX_KEPT;
      const { file, bytes } = await digestFile(member, keep);
      files.set(path, file);
      if (bytes !== undefined) {
        kept.set(path, bytes);
      }
    }
    const entry = toEntry(member, path, files, roleOf(member, path, control.conffiles));
    entries.set(path, entry);
  }
  checkTree(entries);
  return { entries: sorted(entries), digests: checkStatements(files, control), kept };
}

/** The path on the host, however the archive's writer begins its names: ./usr, usr. */
function hostPath(path: string): string {
  const relative = path.replace(/^\.(?:\/+|$)/, '');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
  const plain = !/(^|\/)\.{0,2}(\/|$)|[\u0000-\u001f\u007f]/.test(relative) || relative === '';
  if (path === '' || !plain || Buffer.byteLength(path) > MAX_PATH) {
    throw new KubeparcelError('format', 'it holds a path that does not stay inside the package or cannot be', {
      where: JSON.stringify(path.slice(0, 200)),
    });
  }
  return `/${relative}`;
}

async function digestFile(
  { size, content }: TarMember & { readonly kind: 'file' },
  keep: boolean,
): Promise<{ file: SeenFile; bytes: Uint8Array | undefined }> {
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
  const file: SeenFile = { content: { kind: 'stored', sha256: sha256.digest('hex'), size }, md5: md5.digest('hex') };
  return { file, bytes: keep ? Buffer.concat(parts) : undefined };
}

function toEntry(member: TarMember, path: string, files: Map<string, SeenFile>, role: EntryRole): Entry {
  const { mode, owner, group, mtime } = member;
  const base = { path, mode, owner, group, mtime, role };
  switch (member.kind) {
    case 'directory':
      return { ...base, kind: 'directory' };
    case 'symlink':
      if (member.target === '') {
        throw new KubeparcelError('format', 'a symbolic link to nothing', { where: path });
      }
      return { ...base, kind: 'symlink', target: member.target };
    case 'file':
    case 'hardlink': {
      const file = files.get(member.kind === 'file' ? path : hostPath(member.target));
      if (file === undefined) {
        throw new KubeparcelError('format', 'a hard link to a file that does not stand before it', { where: path });
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
  return path.endsWith('/copyright') ? 'licence' : 'doc';
}

/** Nothing may stand below something that is no directory: a link there would lead out of where the path says. */
function checkTree(entries: ReadonlyMap<string, Entry>): void {
  // With the slash sorting before all else, what stands below a path follows it at once.
  const inside = [...entries.values()].map((entry) => ({ entry, key: `${entry.path.replaceAll('/', '\0')}\0` }));
  let leaf: (typeof inside)[number] | undefined;
  for (const each of inside.sort((a, b) => (a.key < b.key ? -1 : 1))) {
    if (leaf !== undefined && each.key.startsWith(leaf.key)) {
      throw new KubeparcelError('format', `it lies below ${leaf.entry.path}, which is no directory`, {
        where: each.entry.path,
      });
    }
    if (each.entry.kind !== 'directory') {
      leaf = each;
    }
  }
}

function checkStatements(files: ReadonlyMap<string, SeenFile>, control: ControlArchive): DataArchive['digests'] {
  for (const path of control.conffiles) {
    if (!files.has(path)) {
      throw new KubeparcelError('format', 'a conffile that the package does not hold', { where: path });
    }
  }
  for (const [path, stated] of control.md5sums) {
    const found = files.get(path)?.md5;
    if (found !== stated) {
      const what = found === undefined ? 'the package does not hold it' : `the file has ${found}`;
      throw new KubeparcelError('format', `md5sums states ${stated}, and ${what}`, {
        where: path,
        hint: 'fetch the package anew',
      });
    }
  }
  return [...control.md5sums].map(([of, value]) => ({ of, algorithm: 'md5', value }));
}

function sorted(entries: ReadonlyMap<string, Entry>): Entry[] {
  return [...entries]
    .map(([path, entry]) => [Buffer.from(path), entry] as const)
    .sort(([a], [b]) => Buffer.compare(a, b))
    .map(([, entry]) => entry);
}
