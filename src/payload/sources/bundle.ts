import { Header } from 'tar/header';
import { formatLock, type Lock, parseLock } from '../../release/lock.ts';
import type { LockedArtifact } from '../../release/release.ts';
import type { Source, SourceContext } from '../../release/source.ts';
import { formatVersionRequest, isSatisfiedBy } from '../../release/version-request.ts';
import { KubeparcelError } from '../../support/errors.ts';
import { type WrittenFile, writeAtomically } from '../../support/write-atomically.ts';
import type { ContentStore } from '../store/content-store.ts';
import type { RandomAccess } from '../store/random-access.ts';
import { copyToSink, openLocal } from './local-file.ts';

/**
 * A bundle is a ustar archive (POSIX.1-2017, pax): first kubeparcel.lock, then each artifact as it was published, as
 * `sha256/HEX`, sorted. Same lock, same bytes.
 */
const MANIFEST = 'kubeparcel.lock';
const BLOCK = 512;
const MAX_MANIFEST_BYTES = 4 << 20;
const MAX_MEMBERS = 4096;

/** Whether a file's first block is that of a bundle. */
export function startsAsBundle(head: Buffer): boolean {
  return head.length >= BLOCK && decode(head)?.path === MANIFEST;
}

/**
 * Writes a fetched release into one file that `--source` takes where there is no network.
 *
 * @param lock from fetchPayload, whose artifacts are in the store
 * @throws KubeparcelError: 'io' when an artifact is not in the store any more or the file cannot be written,
 * 'verification' when an artifact is not what the lock says
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
  const objects = new Map(lock.artifacts.map((artifact) => [artifact.digest.value, artifact]));
  for (const sha256 of [...objects.keys()].sort()) {
    const size = objects.get(sha256)?.size ?? 0;
    if (!(await store.has(sha256, size))) {
      throw new KubeparcelError('io', `the content store has lost ${objects.get(sha256)?.url}`, {
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
 * Opens a bundle as a source. Only headers and the manifest are read here; artifacts are verified as they are fetched.
 *
 * @throws KubeparcelError: 'format' for a file that is no bundle or a damaged one, 'verification' and 'config' for its
 * lock, 'io' when it cannot be read
 */
export async function openBundle(path: string): Promise<Source> {
  const opened = await openLocal(path);
  if (opened === undefined) {
    throw new KubeparcelError('io', 'there is no such bundle', { where: path });
  }
  try {
    const members = await readMembers(opened.bytes, path);
    const manifest = members.get(MANIFEST);
    if (manifest === undefined || manifest.offset !== BLOCK || manifest.size > MAX_MANIFEST_BYTES) {
      throw refused(path, 'not a bundle of kubeparcel');
    }
    const text = (await opened.bytes.read(manifest.offset, manifest.size)).toString('utf8');
    const lock = parseLock(text, `${path}: ${MANIFEST}`);
    for (const artifact of lock.artifacts) {
      const member = members.get(memberName(artifact.digest.value));
      if (member === undefined || member.size !== artifact.size) {
        throw refused(path, `the bundle lacks ${artifact.url}, which its lock names`);
      }
    }
    return bundleSource(path, lock, members, opened.bytes, () => opened.file.close());
  } catch (error) {
    await opened.file.close();
    throw error;
  }
}

interface Extent {
  readonly offset: number;
  readonly size: number;
}

function bundleSource(
  path: string,
  lock: Lock,
  members: ReadonlyMap<string, Extent>,
  bytes: RandomAccess,
  close: () => Promise<void>,
): Source {
  return {
    name: path,
    close,
    async find(request) {
      if (!isSatisfiedBy(request, lock.version)) {
        throw new KubeparcelError('usage', `the bundle holds ${lock.version}, not ${formatVersionRequest(request)}`, {
          where: path,
          hint: `build ${lock.version}, or make a bundle with kubeparcel fetch ${formatVersionRequest(request)} --bundle`,
        });
      }
      const { 'cni-plugins': cniPlugins, crictl: criTools } = lock.components;
      return {
        version: lock.version,
        date: lock.date,
        pins: {
          ...(cniPlugins === undefined ? {} : { cniPlugins }),
          ...(criTools === undefined ? {} : { criTools }),
        },
      };
    },
    async artifacts({ component, architecture, version }) {
      const artifacts = lock.artifacts.filter(
        (one: LockedArtifact) =>
          one.component === component && one.architecture === architecture && one.version === version,
      );
      if (artifacts.length === 0) {
        throw new KubeparcelError('usage', `the bundle has no ${component} ${version} for ${architecture}`, {
          where: path,
          hint: 'make the bundle for all packages and architectures that you build',
        });
      }
      return artifacts;
    },
    async transfer(artifact, sink, context) {
      const { digest, url } = artifact;
      const member = lock.artifacts.some((one) => one.url === url && one.digest.value === digest.value)
        ? members.get(memberName(digest.value))
        : undefined;
      if (member === undefined) {
        throw new KubeparcelError('verification', 'the bundle has no such artifact, or other bytes for it', {
          where: url,
          hint: 'make the bundle from the same lock',
        });
      }
      await copyToSink(bytes, member.offset, member.size, sink, context);
    },
  };
}

async function readMembers(bytes: RandomAccess, where: string): Promise<ReadonlyMap<string, Extent>> {
  const members = new Map<string, Extent>();
  for (let at = 0; members.size < MAX_MEMBERS; ) {
    const block = await bytes.read(at, BLOCK);
    if (members.size > 0 && block.length === BLOCK && block.every((byte) => byte === 0)) {
      return members;
    }
    const header = decode(block);
    const size = header?.size ?? -1;
    if (header?.path === undefined || !header.cksumValid || header.type !== 'File' || !Number.isSafeInteger(size)) {
      throw refused(where, members.size === 0 ? 'not a bundle of kubeparcel' : 'the bundle is damaged');
    }
    const offset = at + BLOCK;
    if (size < 0 || offset + size > bytes.size || members.has(header.path)) {
      throw refused(where, 'the bundle is damaged or was cut off');
    }
    members.set(header.path, { offset, size });
    at = offset + Math.ceil(size / BLOCK) * BLOCK;
  }
  throw refused(where, `the bundle has more than ${MAX_MEMBERS} members`);
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

function refused(where: string, what: string): KubeparcelError {
  return new KubeparcelError('format', what, { where, hint: 'make the bundle again with kubeparcel fetch --bundle' });
}
