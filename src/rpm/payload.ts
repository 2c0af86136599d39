import { createHash, randomBytes } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { flatten, keyOf } from '../archive/archive-source.ts';
import { type CpioMember, cpioPieces, writeCpio } from '../archive/cpio.ts';
import { compress } from '../compress/compress.ts';
import { type PackedCodec, packArchive } from '../compress/splice-archive.ts';
import type { SpliceOptions, WriteOptions } from '../layout/packager.ts';
import { verifiedContent } from '../layout/tree.ts';
import { contentSha256 } from '../model/content.ts';
import type { Part } from '../support/output-chunks.ts';
import { EMPTY_SHA256, hasLargeFiles, type ListedFile } from './file-list.ts';

/** What the headers state of a payload. Digests are SHA-256 in hex. */
export interface PayloadFacts {
  /** Bytes. */
  readonly size: number;
  readonly digest: string;
  /** Of the archive before compression. */
  readonly archiveSize: number;
  readonly archiveDigest: string;
}

/** A compressed payload that waits until the headers before it can be written. */
export interface WaitingPayload extends PayloadFacts {
  /** May be read more than once. */
  chunks(): AsyncIterable<Uint8Array>;
  close(): Promise<void>;
}

/** The payload, put together from what is compressed already; no file in it may be large. */
export async function packPayload(
  files: readonly ListedFile[],
  codec: PackedCodec,
  { compression, packed, onBytes, signal, ...uncounted }: SpliceOptions,
): Promise<PayloadFacts & { readonly parts: readonly Part[] }> {
  const pieces = [...cpioPieces(members(files, uncounted), { stripped: false })];
  const archive = await packArchive(pieces, { codec, level: compression.level, store: packed, onBytes, signal });
  const archiveDigest = async () => {
    const hash = createHash('sha256');
    for await (const chunk of flatten(pieces)) {
      signal?.throwIfAborted();
      hash.update(chunk);
    }
    return hash.digest('hex');
  };
  return {
    size: archive.size,
    parts: archive.parts,
    digest: await packed.fact('payload-sha256', archive.key, () => packed.digest('sha256', archive.parts)),
    archiveSize: pieces.reduce((sum, piece) => sum + (piece instanceof Uint8Array ? piece.length : piece.size), 0),
    archiveDigest: await packed.fact('cpio-sha256', keyOf(pieces), archiveDigest),
  };
}

/** The payload, compressed into a new file in the spool directory. */
export async function spoolPayload(files: readonly ListedFile[], options: WriteOptions): Promise<WaitingPayload> {
  const path = join(options.spoolDirectory, `payload.${randomBytes(8).toString('hex')}.cpio`);
  const archive = measured(writeCpio(members(files, options), { stripped: hasLargeFiles(files) }));
  const payload = measured(compress(archive.chunks, options.compression, options.signal));
  const file = await open(path, 'wx', 0o600);
  try {
    for await (const chunk of payload.chunks) {
      await file.writeFile(chunk);
    }
    await file.close();
  } catch (error) {
    await file.close();
    await rm(path, { force: true });
    throw error;
  }
  return {
    ...payload.facts(),
    archiveSize: archive.facts().size,
    archiveDigest: archive.facts().digest,
    chunks: () => readSpool(path, options.signal),
    close: () => rm(path, { force: true }),
  };
}

/** Reads the spooled payload back. */
async function* readSpool(path: string, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  const file = await open(path, 'r');
  try {
    for await (const chunk of file.createReadStream({ highWaterMark: 1 << 20, autoClose: false })) {
      signal?.throwIfAborted();
      yield chunk;
    }
  } finally {
    await file.close();
  }
}

type ContentOptions = Pick<WriteOptions, 'objects' | 'onBytes'>;

function* members(files: readonly ListedFile[], options: ContentOptions): Generator<CpioMember> {
  for (const file of files) {
    if (file.entry.role !== 'ghost') {
      const { path, mtime } = file.entry;
      yield {
        header: { name: `.${path}`, mode: file.mode, mtime, inode: file.index + 1 },
        index: file.index,
        size: file.size,
        key: keyOfContent(file),
        content: { [Symbol.asyncIterator]: () => content(file, options) },
      };
    }
  }
}

function keyOfContent({ entry }: ListedFile): string {
  if (entry.kind === 'file') return contentSha256(entry.content);
  return entry.kind === 'symlink' ? createHash('sha256').update(entry.target).digest('hex') : EMPTY_SHA256;
}

async function* content({ entry }: ListedFile, { objects, onBytes }: ContentOptions): AsyncGenerator<Uint8Array> {
  if (entry.kind === 'symlink') {
    yield Buffer.from(entry.target);
  }
  if (entry.kind === 'file') {
    for await (const chunk of verifiedContent(entry.content, objects)) {
      onBytes?.(chunk.length);
      yield chunk;
    }
  }
}

/** The same chunks, their count of bytes and SHA-256 known once they have passed. */
function measured(source: AsyncIterable<Uint8Array>) {
  const hash = createHash('sha256');
  let size = 0;
  async function* chunks() {
    for await (const chunk of source) {
      hash.update(chunk);
      size += chunk.length;
      yield chunk;
    }
  }
  let digest: string | undefined;
  return {
    chunks: chunks(),
    facts: () => {
      digest ??= hash.digest('hex');
      return { size, digest };
    },
  };
}
