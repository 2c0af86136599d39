import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { Header, Pax } from 'tar';
import { KubeparcelError } from '../support/errors.ts';
import { type ByteReader, byteReader } from './byte-reader.ts';
import type { ContentStore, StagedObject } from './store.ts';

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
const BLOCK = 512;
const MAX_PAX_BYTES = 1 << 16;

/**
 * Unpacks a gzipped tar archive (POSIX.1-2017 pax, section "ustar Interchange Format") whose files stand at its top,
 * as those of CNI plugins and cri-tools do. Streams; one archive block is in memory at a time.
 *
 * @param chunks the archive's bytes, already verified
 * @param where the archive's name, for errors
 * @returns the files, sorted by name; to be committed or discarded by the caller
 * @throws KubeparcelError of kind 'format' for a damaged archive and for paths outside, absolute or in folders, links,
 * devices, duplicates, more members or bytes than the limits; nothing stays staged then
 */
export async function unpackArchive(
  chunks: AsyncIterable<Uint8Array>,
  store: ContentStore,
  where: string,
  limits: UnpackLimits = LIMITS,
): Promise<readonly Member[]> {
  const members = new Map<string, Member>();
  const reader = byteReader(gunzip(chunks, limits.bytes, where));
  try {
    await readMembers(reader, where, limits, async (name, executable, content) => {
      if (members.has(name)) {
        throw refused(where, `the archive has ${name} twice`);
      }
      members.set(name, { name, executable, staged: await store.stage(content) });
    });
  } catch (error) {
    for (const member of members.values()) {
      await member.staged.discard();
    }
    throw error;
  } finally {
    await reader.close();
  }
  return [...members.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

type OnFile = (name: string, executable: boolean, content: AsyncIterable<Uint8Array>) => Promise<void>;

async function readMembers(reader: ByteReader, where: string, limits: UnpackLimits, onFile: OnFile): Promise<void> {
  let extended: Pax | undefined;
  for (let count = 0; ; ) {
    const block = await reader.take(BLOCK);
    if (block.length === 0 && count > 0) {
      return;
    }
    if (block.length < BLOCK) {
      throw refused(where, 'the archive ends within a header');
    }
    if (block.every((byte) => byte === 0)) {
      if (count === 0) throw refused(where, 'the archive is empty');
      await onlyPadding(reader, where, limits);
      return;
    }
    const header = decode(block, extended, where);
    const { type } = header;
    const size = header.size ?? 0;
    if (!header.cksumValid || !Number.isSafeInteger(size) || size < 0) {
      throw refused(where, 'not a tar archive, or a damaged one');
    }
    if (++count > limits.members) {
      throw refused(where, `the archive has more than ${limits.members} members`);
    }
    if (type === 'ExtendedHeader') {
      if (size > MAX_PAX_BYTES) throw refused(where, 'the archive has an oversized extended header');
      extended = parsePax(await padded(reader, size, where), where);
      continue;
    }
    extended = undefined;
    if (type === 'GlobalExtendedHeader') {
      if (size > MAX_PAX_BYTES) throw refused(where, 'the archive has an oversized extended header');
      await padded(reader, size, where);
      continue;
    }
    const path = header.path ?? '';
    if (type === 'Directory') {
      checkPath(path.replace(/\/+$/, ''), where);
      continue;
    }
    if (type !== 'File' && type !== 'OldFile') {
      throw refused(where, `the archive has ${JSON.stringify(path.slice(0, 200))}, which is no plain file (${type})`);
    }
    const name = checkPath(path, where);
    if (!/^[A-Za-z0-9][A-Za-z0-9._+-]{0,127}$/.test(name)) {
      throw refused(
        where,
        `the archive has a file at ${JSON.stringify(path.slice(0, 200))}, where only its top is used`,
      );
    }
    let left = size;
    const counted = async function* () {
      for await (const chunk of reader.stream(size)) {
        left -= chunk.length;
        yield chunk;
      }
      if (left > 0) throw refused(where, `the archive ends within ${name}`);
    };
    await onFile(name, ((header.mode ?? 0) & 0o111) !== 0, counted());
    await padded(reader, 0, where, size);
  }
}

function decode(block: Buffer, extended: Pax | undefined, where: string): Header {
  try {
    return new Header(block, 0, extended);
  } catch (cause) {
    throw refused(where, 'not a tar archive, or a damaged one', cause);
  }
}

function parsePax(bytes: Buffer, where: string): Pax {
  try {
    return Pax.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw refused(where, 'the archive has a damaged extended header', cause);
  }
}

/** A member's path without a leading `./`; `.` itself becomes the empty name. */
function checkPath(path: string, where: string): string {
  const parts = path.split('/').filter((part) => part !== '.');
  if (path.startsWith('/') || parts.includes('..') || path.includes('\\') || path.includes('\0')) {
    throw refused(where, `the archive has a path outside of itself: ${JSON.stringify(path.slice(0, 200))}`);
  }
  return parts.join('/');
}

/** Takes `size` bytes and what fills the last block; `before`: bytes of the same member that were taken already. */
async function padded(reader: ByteReader, size: number, where: string, before = 0): Promise<Buffer> {
  const fill = (BLOCK - ((size + before) % BLOCK)) % BLOCK;
  const bytes = await reader.take(size + fill);
  if (bytes.length < size + fill) {
    throw refused(where, 'the archive ends within a member');
  }
  return bytes.subarray(0, size);
}

/** Reads to the end, so that gzip's checksum is checked too. */
async function onlyPadding(reader: ByteReader, where: string, limits: UnpackLimits): Promise<void> {
  for await (const chunk of reader.stream(limits.bytes)) {
    if (chunk.some((byte) => byte !== 0)) {
      throw refused(where, 'the archive goes on after its end');
    }
  }
}

async function* gunzip(chunks: AsyncIterable<Uint8Array>, limit: number, where: string): AsyncGenerator<Uint8Array> {
  const unzip = createGunzip();
  const feeding = pipeline(Readable.from(chunks, { objectMode: false }), unzip);
  // The reader below sees the same failure first.
  feeding.catch(() => {});
  let bytes = 0;
  try {
    for await (const chunk of unzip as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > limit) {
        throw refused(where, `the archive unpacks to more than ${limit} bytes`);
      }
      yield chunk;
    }
    await feeding;
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && String(cause.code).startsWith('Z_')) {
      throw refused(where, 'not gzip, or damaged', cause);
    }
    throw cause;
  }
}

function refused(where: string, what: string, cause?: unknown): KubeparcelError {
  return new KubeparcelError('format', what, { where, ...(cause === undefined ? {} : { cause }) });
}
