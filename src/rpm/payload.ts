import { createHash } from 'node:crypto';
import { readSource, sourceKey } from '../archive/archive-source.ts';
import { type CpioMember, cpioSource, writeCpio } from '../archive/cpio.ts';
import type { BlockCodec } from '../compress/block-store.ts';
import { compress } from '../compress/compress.ts';
import { compressArchive } from '../compress/compress-archive.ts';
import type { SpliceOptions, WriteOptions } from '../layout/packager.ts';
import { Spool } from '../layout/spool.ts';
import { verifiedContent } from '../layout/tree.ts';
import { contentSha256 } from '../model/content.ts';
import type { OutputChunk } from '../support/output-chunks.ts';
import { EMPTY_SHA256, hasLargeFiles, type ListedFile } from './file-list.ts';

/** Sizes and digests of a payload for the headers. Digests are SHA-256 in hex. */
export interface PayloadFacts {
  /** Bytes. */
  readonly size: number;
  readonly digest: string;
  /** Of the archive before compression. */
  readonly archiveSize: number;
  readonly archiveDigest: string;
}

/** A compressed payload in a temporary file, kept until the headers before it are written. */
export interface SpooledPayload extends PayloadFacts {
  /** May be called several times. */
  chunks(): AsyncIterable<Uint8Array>;
  close(): Promise<void>;
}

/** Assembles the payload from compressed blocks. None of the files may be large (see hasLargeFiles). */
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

/** Compresses the payload into a temporary file in the spool directory. */
export async function spoolPayload(files: readonly ListedFile[], options: WriteOptions): Promise<SpooledPayload> {
  const archive = measured(writeCpio(members(files, options), { stripped: hasLargeFiles(files) }));
  const payload = measured(compress(archive.chunks, options.compression, options.signal));
  const spool = await Spool.create(options.spoolDirectory);
  try {
    await spool.write(payload.chunks);
  } catch (error) {
    await spool.close();
    throw error;
  }
  return {
    ...payload.facts(),
    archiveSize: archive.facts().size,
    archiveDigest: archive.facts().digest,
    chunks: () => spool.read(options.signal),
    close: () => spool.close(),
  };
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

/** Passes the chunks on and determines their size and SHA-256. */
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
