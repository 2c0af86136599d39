import { readTar, type TarMember } from '../archive/tar-reader.ts';
import { decompress } from '../compress/compress.ts';
import { KubeparcelError } from '../support/errors.ts';
import type { ContentStore } from './store/content-store.ts';
import type { StagedObject } from './store/object.ts';

/** A file from an archive, staged in the store. */
export interface Member {
  readonly name: string;
  /** Whether its mode in the archive has an execute bit. */
  readonly executable: boolean;
  readonly staged: StagedObject;
}

export interface UnpackLimits {
  /** Members of any kind. */
  readonly members: number;
  /** Uncompressed bytes of the whole archive. */
  readonly bytes: number;
}

/** Several times the size of the CNI plugins. */
const LIMITS: UnpackLimits = { members: 256, bytes: 1 << 30 };

/**
 * Unpacks a gzipped tar archive with all files at its top level, such as those of the CNI plugins and cri-tools. Streams
 * the contents into the store.
 *
 * @param chunks the archive's bytes, already verified
 * @param where the archive's name, for errors
 * @returns the files, sorted by name; the caller commits or discards them
 * @throws KubeparcelError of kind 'format' for a damaged archive, files outside the top level, links, devices, duplicates
 * and more members or bytes than the limits; nothing stays staged
 */
export async function unpackArchive(
  chunks: AsyncIterable<Uint8Array>,
  store: ContentStore,
  where: string,
  limits: UnpackLimits = LIMITS,
): Promise<readonly Member[]> {
  const members = new Map<string, Member>();
  let count = 0;
  try {
    for await (const member of readTar(decompress(chunks, 'gzip', { maxBytes: limits.bytes }), { pax: true })) {
      count += 1;
      if (count > limits.members) throw invalid(`the archive has more than ${limits.members} members`);
      const name = topName(member);
      if (member.kind === 'directory') continue;
      if (member.kind !== 'file') throw invalid(`the archive has ${quoted(member.path)}, which is a ${member.kind}`);
      if (members.has(name)) throw invalid(`the archive has ${name} twice`);
      const executable = (member.mode & 0o111) !== 0;
      members.set(name, { name, executable, staged: await store.stage(member.content) });
    }
    if (count === 0) throw invalid('the archive is empty');
  } catch (error) {
    for (const member of members.values()) {
      await member.staged.discard();
    }
    throw located(error, where);
  }
  return [...members.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The name of a top-level file; for a directory, any path that stays inside. */
function topName({ path, kind }: TarMember): string {
  const parts = path.split('/').filter((part) => part !== '.');
  if (path.startsWith('/') || parts.includes('..') || path.includes('\\')) {
    throw invalid(`the archive has a path that leads outside: ${quoted(path)}`);
  }
  const name = parts.join('/');
  if (kind !== 'directory' && !/^[A-Za-z0-9][A-Za-z0-9._+-]{0,127}$/.test(name)) {
    throw invalid(`the archive has the file ${quoted(path)}; only plain names at the top level are allowed`);
  }
  return name;
}

function quoted(path: string): string {
  return JSON.stringify(path.slice(0, 200));
}

function invalid(what: string): KubeparcelError {
  return new KubeparcelError('format', what);
}

/** Adds the archive's name to an error of a reader. */
function located(error: unknown, where: string): unknown {
  if (!(error instanceof KubeparcelError) || error.kind !== 'format') return error;
  return new KubeparcelError('format', error.message, {
    where,
    hint: 'do not use this archive: the project does not release archives like this',
    cause: error,
  });
}
