import { createHash } from 'node:crypto';
import type { Chunks } from '../archive/chunks.ts';
import { type ReadCpioMember, readCpio } from '../archive/cpio.ts';
import type { Content } from '../model/content.ts';
import { type Entry, sortByPath } from '../model/layout.ts';
import { KubeparcelError } from '../support/errors.ts';
import { EMPTY_SHA256, KIND_BITS, KIND_MASK } from './file-list.ts';
import { badList, type FileList, type StatedFile } from './read-file-list.ts';

/** PATH_MAX; longer link targets are rejected without reading them. */
const TARGET_MAX = 4096;

/**
 * Reads the archive and compares it with the file list: it must contain every file except ghosts exactly once, with the
 * size, digest and link target in the header. Of a set of hard links, only the last member has content.
 *
 * @returns the entries sorted by path, contents by SHA-256
 * @throws KubeparcelError of kind 'verification' for a file that does not match its digest, 'format' for other differences
 */
export async function readPayload(archive: Chunks, { files, digestAlgorithm }: FileList): Promise<Entry[]> {
  const indexes = new Map(files.map((file, index) => [file.rawPath, index]));
  const linkSets = groupHardLinks(files);
  const contents = new Map<string, Content>();
  const seen = new Set<number>();
  for await (const member of readCpio(archive, (index) => strippedSize(files, linkSets, index))) {
    const index = member.kind === 'stripped' ? member.index : indexes.get(installedPath(member.name));
    const file = index === undefined ? undefined : files[index];
    if (index === undefined || file === undefined) {
      throw badList(
        `the archive contains ${JSON.stringify(member.kind === 'newc' ? member.name : '')}, which is not listed`,
      );
    }
    if (seen.has(index)) {
      throw badList(`the archive contains ${file.path} twice`);
    }
    seen.add(index);
    checkKind(member, file);
    // rpm before 4.11 sometimes put ghosts into the archive.
    if (file.role !== 'ghost') {
      await readMember(member, file, { digestAlgorithm, contents, isHardLink: linkSets.has(file.linkSet) });
    }
  }
  const missing = files.find((file, index) => file.role !== 'ghost' && !seen.has(index));
  if (missing !== undefined) {
    throw badList(`${missing.path} is not in the archive`);
  }
  const entries = files.map((file) => entryOf(file, contents, linkSets.has(file.linkSet)));
  return sortByPath(entries);
}

interface MemberContext {
  readonly digestAlgorithm: string;
  /** By path; for hard links by their set. */
  readonly contents: Map<string, Content>;
  readonly isHardLink: boolean;
}

async function readMember(member: ReadCpioMember, file: StatedFile, context: MemberContext): Promise<void> {
  if (file.kind === 'directory') {
    return;
  }
  if (file.kind === 'symlink') {
    await checkTarget(member, file);
    return;
  }
  if (context.isHardLink && member.size === 0 && file.size > 0) {
    return;
  }
  if (member.size !== file.size) {
    throw badList(`${file.path} has ${member.size} bytes in the archive, but ${file.size} in the header`);
  }
  const sha256 = createHash('sha256');
  const stated = context.digestAlgorithm === 'sha256' ? sha256 : createHash(context.digestAlgorithm);
  for await (const chunk of member.content) {
    sha256.update(chunk);
    if (stated !== sha256) stated.update(chunk);
  }
  const digest = sha256.digest('hex');
  const found = stated === sha256 ? digest : stated.digest('hex');
  if (found !== file.digest) {
    throw new KubeparcelError('verification', `a file does not match its ${context.digestAlgorithm}`, {
      where: file.path,
      hint: 'download the package again; if the error remains, it was built with a wrong digest',
    });
  }
  context.contents.set(contentKey(file, context.isHardLink), { kind: 'stored', sha256: digest, size: member.size });
}

function checkKind(member: ReadCpioMember, file: StatedFile): void {
  if (member.kind === 'newc' && (member.mode & KIND_MASK) !== KIND_BITS[file.kind]) {
    throw badList(`${file.path} has another file type in the archive`);
  }
}

async function checkTarget(member: ReadCpioMember, file: StatedFile): Promise<void> {
  if (member.size > TARGET_MAX) {
    throw badList(`the link target of ${file.path} has ${member.size} bytes`);
  }
  const chunks: Uint8Array[] = [];
  for await (const chunk of member.content) {
    chunks.push(chunk);
  }
  const target = Buffer.concat(chunks);
  if (!target.equals(Buffer.from(file.target)) && target.toString('latin1') !== file.target) {
    throw badList(`${file.path} has another link target in the archive`);
  }
}

function entryOf(file: StatedFile, contents: ReadonlyMap<string, Content>, isHardLink: boolean): Entry {
  const { path, mode, owner, group, mtime, role } = file;
  const base = { path, mode, owner, group, mtime, role };
  if (file.kind === 'symlink') {
    return { ...base, kind: 'symlink', target: file.target };
  }
  if (file.kind === 'directory') {
    return { ...base, kind: 'directory' };
  }
  if (role === 'ghost') {
    return { ...base, kind: 'file', content: { kind: 'stored', sha256: EMPTY_SHA256, size: 0 } };
  }
  const content = contents.get(contentKey(file, isHardLink));
  if (content === undefined) {
    throw badList(`${file.path} has no content in the archive`);
  }
  return { ...base, kind: 'file', content };
}

function contentKey(file: StatedFile, isHardLink: boolean): string {
  return isHardLink ? `${file.linkSet} ${file.size} ${file.digest}` : file.rawPath;
}

/** Sets of two or more hard links, with the index of the last one. */
function groupHardLinks(files: readonly StatedFile[]): ReadonlyMap<string, number> {
  const members = new Map<string, { readonly count: number; readonly last: number }>();
  for (const [index, file] of files.entries()) {
    if (file.kind === 'file' && file.role !== 'ghost') {
      const set = members.get(file.linkSet) ?? { count: 0, last: index };
      members.set(file.linkSet, { count: set.count + 1, last: index });
    }
  }
  return new Map([...members].flatMap(([set, { count, last }]) => (count > 1 ? [[set, last]] : [])));
}

/** The size of the content of a member with a stripped header; undefined if the file is not listed. */
function strippedSize(
  files: readonly StatedFile[],
  linkSets: ReadonlyMap<string, number>,
  index: number,
): number | undefined {
  const file = files[index];
  if (file === undefined || file.kind === 'directory') {
    return file === undefined ? undefined : 0;
  }
  const contentHolder = linkSets.get(file.linkSet);
  return contentHolder !== undefined && file.kind === 'file' && contentHolder !== index ? 0 : file.size;
}

/** The absolute path of `./usr/bin/x`, or in old packages `/usr/bin/x` or `usr/bin/x`. */
function installedPath(name: string): string {
  return `/${name.replace(/^\.?\/+/, '')}`;
}
