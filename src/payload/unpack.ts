import { readTar, type TarMember } from '../archive/tar-reader.ts';
import { decompress } from '../compress/compress.ts';
import { KubeparcelError } from '../support/errors.ts';
import type { ContentStore } from './store/content-store.ts';
import type { StagedObject } from './store/object.ts';

/** A file out of an archive, staged in the store. */
export interface Member {
  readonly name: string;
  /** The archive's mode has an execute bit. */
  readonly executable: boolean;
  readonly staged: StagedObject;
}

export interface UnpackLimits {
  /** Members of any kind. */
  readonly members: number;
  /** Bytes of the whole archive without compression. */
  readonly bytes: number;
}

/** Several times what the CNI plugins take. */
const LIMITS: UnpackLimits = { members: 256, bytes: 1 << 30 };

/**
 * Unpacks a gzipped tar archive whose files stand at its top, as those of CNI plugins and cri-tools do. Streams.
 *
 * @param chunks the archive's bytes, already verified
 * @param where the archive's name, for errors
 * @returns the files, sorted by name; to be committed or discarded by the caller
 * @throws KubeparcelError of kind 'format' for a damaged archive and for paths outside, absolute or in directories, links,
 * devices, duplicates, more members or bytes than the limits; nothing stays staged then
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
      if (count > limits.members) throw refused(`the archive has more than ${limits.members} members`);
      const name = topName(member);
      if (member.kind === 'directory') continue;
      if (member.kind !== 'file') throw refused(`the archive has ${shown(member.path)}, which is a ${member.kind}`);
      if (members.has(name)) throw refused(`the archive has ${name} twice`);
      const executable = (member.mode & 0o111) !== 0;
      members.set(name, { name, executable, staged: await store.stage(member.content) });
    }
    if (count === 0) throw refused('the archive is empty');
  } catch (error) {
    for (const member of members.values()) {
      await member.staged.discard();
    }
    throw located(error, where);
  }
  return [...members.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The name of a member at the archive's top; a directory's path may be any that stays inside. */
function topName({ path, kind }: TarMember): string {
  const parts = path.split('/').filter((part) => part !== '.');
  if (path.startsWith('/') || parts.includes('..') || path.includes('\\')) {
    throw refused(`the archive has a path outside of itself: ${shown(path)}`);
  }
  const name = parts.join('/');
  if (kind !== 'directory' && !/^[A-Za-z0-9][A-Za-z0-9._+-]{0,127}$/.test(name)) {
    throw refused(`the archive has a file at ${shown(path)}, where only its top is used`);
  }
  return name;
}

function shown(path: string): string {
  return JSON.stringify(path.slice(0, 200));
}

function refused(what: string): KubeparcelError {
  return new KubeparcelError('format', what);
}

/** The readers below do not know whose bytes they read. */
function located(error: unknown, where: string): unknown {
  if (!(error instanceof KubeparcelError) || error.kind !== 'format') return error;
  return new KubeparcelError('format', error.message, {
    where,
    hint: 'do not use this archive: it is not what the project releases',
    cause: error,
  });
}
