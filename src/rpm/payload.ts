import { createHash, randomBytes } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readSource, sourceKey } from '../archive/archive-source.ts';
import { type CpioMember, cpioSource, writeCpio } from '../archive/cpio.ts';
import { compress } from '../compress/compress.ts';
import { type BlockCodec, compressArchive } from '../compress/compress-archive.ts';
import type { SpliceOptions, WriteOptions } from '../layout/packager.ts';
import { verifiedContent } from '../layout/tree.ts';
import { contentSha256 } from '../model/content.ts';
import type { OutputChunk } from '../support/output-chunks.ts';
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
  codec: BlockCodec,
  { compression, blocks, onBytes, signal, ...uncounted }: SpliceOptions,
): Promise<PayloadFacts & { readonly chunks: readonly OutputChunk[] }> {
  const source = [...cpioSource(members(files, uncounted), { stripped: false })];
  const archive = await compressArchive(source, { codec, level: compression.level, store: blocks, onBytes, signal });
  const archiveDigest = async () => {
    const hash = createHash('sha256');
    for await (const chunk of readSource(source)) {
      signal?.throwIfAborted();
      hash.update(chunk);
    }
    return hash.digest('hex');
  };
  return {
    size: archive.size,
    chunks: archive.chunks,
    digest: await blocks.fact('payload-sha256', archive.key, () => blocks.digest('sha256', archive.chunks)),
    archiveSize: source.reduce((sum, part) => sum + (part instanceof Uint8Array ? part.length : part.size), 0),
    archiveDigest: await blocks.fact('cpio-sha256', sourceKey(source), archiveDigest),
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
