import { Header } from 'tar/header';
import { formatLock, type Lock, parseLock } from '../../release/lock.ts';
import type { Artifact, LockedArtifact } from '../../release/release.ts';
import type { ComponentRequest, FoundRelease, Sink, Source, SourceContext } from '../../release/source.ts';
import { formatVersionRequest, isSatisfiedBy, type VersionRequest } from '../../release/version-request.ts';
import { KubeparcelError } from '../../support/errors.ts';
import { type WrittenFile, writeAtomically } from '../../support/write-atomically.ts';
import type { ContentStore } from '../store/content-store.ts';
import type { RandomAccess } from '../store/random-access.ts';
import { copyToSink, openLocal } from './local-file.ts';

/*
 * A bundle is a ustar archive (POSIX.1-2017, pax): first kubeparcel.lock, then the published artifacts as `sha256/HEX`,
 * sorted. The same lock gives the same bytes. The archive is read with random access, so that opening a bundle of several
 * hundred MB reads a few KB; the parser of the `tar` library reads from start to end, so only its headers are used here.
 */
const MANIFEST = 'kubeparcel.lock';
const BLOCK = 512;
const MAX_MANIFEST_BYTES = 4 << 20;
const MAX_MEMBERS = 4096;

/** Whether a file is a bundle, by its first 512 bytes. */
export function startsAsBundle(head: Buffer): boolean {
  return head.length >= BLOCK && decode(head)?.path === MANIFEST;
}

/**
 * Writes a fetched release to a single file, which `--source` accepts on machines without a network.
 *
 * @param lock from fetchPayload; its artifacts are in the store
 * @throws KubeparcelError of kind 'io' when an artifact is no longer in the store or the file cannot be written
 */
export async function writeBundle(
  path: string,
  lock: Lock,
  store: ContentStore,
  { signal }: SourceContext = {},
): Promise<WrittenFile> {
  return writeAtomically(path, bundleChunks(lock, store, signal));
}

async function* bundleChunks(lock: Lock, store: ContentStore, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  const manifest = Buffer.from(formatLock(lock));
  const mtime = lock.date ?? 0;
  yield encodeHeader(MANIFEST, manifest.length, mtime);
  yield manifest;
  yield padding(manifest.length);
  const artifacts = new Map(lock.artifacts.map((artifact) => [artifact.sha256, artifact]));
  for (const [sha256, { size, url }] of [...artifacts].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (!(await store.has(sha256, size))) {
      throw new KubeparcelError('io', `${url} is missing from the content store`, {
        where: store.directory,
        hint: 'run the command again',
      });
    }
    yield encodeHeader(memberName(sha256), size, mtime);
    for await (const chunk of store.open(sha256)) {
      signal?.throwIfAborted();
      yield chunk;
    }
    yield padding(size);
  }
  yield Buffer.alloc(2 * BLOCK);
}

/**
 * Opens a bundle as a source. Reads only headers and the manifest; artifacts are verified when they are fetched.
 *
 * @throws KubeparcelError: 'format' for a damaged bundle or another file, 'verification' or 'config' for an invalid lock,
 * 'io' if the file cannot be read
 */
export async function openBundle(path: string): Promise<Source> {
  const opened = await openLocal(path);
  if (opened === undefined) throw new KubeparcelError('io', 'the bundle does not exist', { where: path });
  const { file, bytes } = opened;
  try {
    const members = await readMembers(bytes, path);
    const manifest = members.get(MANIFEST);
    if (manifest === undefined || manifest.offset !== BLOCK || manifest.size > MAX_MANIFEST_BYTES) {
      throw invalid(path, 'not a kubeparcel bundle');
    }
    const text = (await bytes.read(manifest.offset, manifest.size)).toString('utf8');
    const lock = parseLock(text, `${path}: ${MANIFEST}`);
    for (const { sha256, size, url } of lock.artifacts) {
      if (members.get(memberName(sha256))?.size !== size) {
        throw invalid(path, `the bundle lacks ${url}, which is in its lock`);
      }
    }
    return new Bundle(path, lock, members, bytes, () => file.close());
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Position of a member's content in the bundle. */
interface Extent {
  readonly offset: number;
  readonly size: number;
}

class Bundle implements Source {
  readonly name: string;
  readonly close: () => Promise<void>;
  readonly #lock: Lock;
  readonly #members: ReadonlyMap<string, Extent>;
  readonly #bytes: RandomAccess;

  constructor(
    path: string,
    lock: Lock,
    members: ReadonlyMap<string, Extent>,
    bytes: RandomAccess,
    close: () => Promise<void>,
  ) {
    this.name = path;
    this.close = close;
    this.#lock = lock;
    this.#members = members;
    this.#bytes = bytes;
  }

  async find(request: VersionRequest): Promise<FoundRelease> {
    const { version, date, components } = this.#lock;
    if (!isSatisfiedBy(request, version)) {
      throw new KubeparcelError('usage', `the bundle has ${version}, not ${formatVersionRequest(request)}`, {
        where: this.name,
        hint: `build ${version}, or create a bundle with kubeparcel fetch ${formatVersionRequest(request)} --bundle`,
      });
    }
    return { version, date, pins: { cniPlugins: components['cni-plugins'], criTools: components.crictl } };
  }

  async artifacts({ component, architecture, version }: ComponentRequest): Promise<readonly LockedArtifact[]> {
    const artifacts = this.#lock.artifacts.filter(
      (each) => each.component === component && each.architecture === architecture && each.version === version,
    );
    if (artifacts.length === 0) {
      throw new KubeparcelError('usage', `the bundle has no ${component} ${version} for ${architecture}`, {
        where: this.name,
        hint: 'create the bundle for all packages and architectures that you build',
      });
    }
    return artifacts;
  }

  async transfer({ url, sha256 }: Artifact, sink: Sink, context: SourceContext): Promise<void> {
    const artifact = this.#lock.artifacts.find((each) => each.url === url && each.sha256 === sha256);
    const member = artifact && this.#members.get(memberName(artifact.sha256));
    if (member === undefined) {
      throw new KubeparcelError('verification', 'the bundle lacks this artifact or has it with another digest', {
        where: url,
        hint: 'create the bundle from the same lock',
      });
    }
    await copyToSink(this.#bytes, member.offset, member.size, sink, context);
  }
}

async function readMembers(bytes: RandomAccess, where: string): Promise<ReadonlyMap<string, Extent>> {
  const members = new Map<string, Extent>();
  for (let at = 0; members.size < MAX_MEMBERS; ) {
    const block = await bytes.read(at, BLOCK);
    if (members.size > 0 && block.length === BLOCK && block.every((byte) => byte === 0)) return members;
    const header = decode(block);
    const size = header?.size ?? -1;
    if (header?.path === undefined || !header.cksumValid || header.type !== 'File' || !Number.isSafeInteger(size)) {
      throw invalid(where, members.size === 0 ? 'not a kubeparcel bundle' : 'the bundle is damaged');
    }
    const offset = at + BLOCK;
    if (size < 0 || offset + size > bytes.size || members.has(header.path)) {
      throw invalid(where, 'the bundle is damaged or truncated');
    }
    members.set(header.path, { offset, size });
    at = offset + Math.ceil(size / BLOCK) * BLOCK;
  }
  throw invalid(where, `the bundle has more than ${MAX_MEMBERS} members`);
}

function decode(block: Buffer): Header | undefined {
  try {
    return new Header(block, 0);
  } catch {
    return undefined;
  }
}

function encodeHeader(path: string, size: number, mtime: number): Buffer {
  const block = Buffer.alloc(BLOCK);
  const header = new Header({ path, size, mode: 0o644, uid: 0, gid: 0, type: 'File', mtime: new Date(mtime * 1000) });
  header.encode(block, 0);
  return block;
}

function padding(size: number): Buffer {
  return Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK);
}

function memberName(sha256: string): string {
  return `sha256/${sha256}`;
}

function invalid(where: string, what: string): KubeparcelError {
  return new KubeparcelError('format', what, { where, hint: 'create the bundle again with kubeparcel fetch --bundle' });
}
