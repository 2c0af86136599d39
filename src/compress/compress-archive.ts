import { crc32 } from 'node:zlib';
import { groupContents, type SourceContent, type SourcePart, sourceKey } from '../archive/archive-source.ts';
import type { Codec } from '../model/compression.ts';
import { orAborted } from '../support/abort.ts';
import { type FileChunk, type OutputChunk, totalSize } from '../support/output-chunks.ts';
import { deflateRun, joinCrc32, memberEnd, memberHeader } from './splice/gzip-blocks.ts';
import { streamEnd, streamHeader, type XzRecord, type XzRun } from './splice/xz-blocks.ts';
import type { ZstdRun } from './splice/zstd-run.ts';
import { spliceFrame, type ZstdBlocks } from './splice/zstd-splice.ts';

/** Codecs whose blocks can be put together. */
export type BlockCodec = Exclude<Codec, 'none'>;

export function isBlockCodec(codec: Codec): codec is BlockCodec {
  return codec !== 'none';
}

/** Blocks of an xz stream, compressed apart. */
export interface XzBlocks extends FileChunk {
  readonly records: readonly XzRecord[];
  /** Differs where the bytes differ. */
  readonly id: string;
}

/** Deflate blocks, compressed apart. */
export interface DeflateBlocks extends FileChunk {
  /** What they unpack to; size in bytes. */
  readonly unpacked: { readonly crc32: number; readonly size: number };
  /** Differs where the bytes differ. */
  readonly id: string;
}

export type OnRead = (bytes: number) => void;

/** Compressed blocks of big contents, by what they were made of; found, or made and kept. */
export interface BlockStore {
  /**
   * The content's blocks. Reads the content only when they are not there, and once for all who ask meanwhile.
   *
   * @param onRead called with counts of bytes of the content that were read, for whomever
   */
  zstdBlocks(content: SourceContent, level: number, onRead?: OnRead): Promise<ZstdBlocks>;
  xzBlocks(content: SourceContent, level: number, onRead?: OnRead): Promise<XzBlocks>;
  deflateBlocks(content: SourceContent, level: number, onRead?: OnRead): Promise<DeflateBlocks>;
  /** Compresses bytes that nobody keeps, as a frame or a stream of their own. */
  zstdRun(bytes: Uint8Array, level: number): Promise<ZstdRun>;
  /** The same as a whole frame, with a content checksum. */
  zstdFrame(bytes: Uint8Array, level: number): Promise<Uint8Array>;
  xzRun(bytes: Uint8Array, level: number): Promise<XzRun>;
  /**
   * A fact that follows from bytes and takes reading them: kept by `kind` and key.
   *
   * @param find how it is found; one line
   */
  fact(kind: string, key: string, find: () => Promise<string>): Promise<string>;
  /** The digest of all bytes of the parts, in hex; found on a thread. */
  digest(algorithm: 'md5' | 'sha256', chunks: readonly OutputChunk[]): Promise<string>;
}

/** The content's blocks in this codec. */
export function compressContent(
  store: BlockStore,
  codec: BlockCodec,
  content: SourceContent,
  level: number,
): Promise<FileChunk> {
  switch (codec) {
    case 'zstd':
      return store.zstdBlocks(content, level);
    case 'xz':
      return store.xzBlocks(content, level);
    case 'gzip':
      return store.deflateBlocks(content, level);
  }
}

/** A compressed archive whose size is known before its bytes are read. */
export interface CompressedArchive {
  /** Bytes. */
  readonly size: number;
  /** 64 hex digits that stand for the compressed bytes. */
  readonly key: string;
  readonly chunks: readonly OutputChunk[];
}

interface PackOptions {
  readonly codec: BlockCodec;
  readonly level: number;
  readonly store: BlockStore;
  /** Called with counts of bytes of contents that are in the archive by now. */
  readonly onBytes?: ((count: number) => void) | undefined;
  /** With it aborted nobody waits for the store; what it has begun is for others, or for it to end. */
  readonly signal?: AbortSignal | undefined;
}

type KnownPart = Uint8Array | (FileChunk & { readonly id: string });

/**
 * Compresses an archive in which every big content is compressed once, whatever the number of archives that it is in: as
 * one zstd frame (without a checksum), one xz stream of several blocks, or one gzip member.
 */
export async function compressArchive(pieces: Iterable<SourcePart>, options: PackOptions): Promise<CompressedArchive> {
  const gathered = await groupContents(pieces, options.codec);
  const parts = await orAborted(PUT_TOGETHER[options.codec](gathered, options), options.signal);
  return {
    size: totalSize(parts),
    // Of what the archive is made of, and not of what it was made from: the same contents, put together in another way by
    // another version, have another key.
    key: sourceKey(parts.map((part) => (part instanceof Uint8Array ? part : { key: part.id, size: part.size }))),
    chunks: parts,
  };
}

async function frameOf(pieces: readonly SourcePart[], { level, store, onBytes }: PackOptions): Promise<KnownPart[]> {
  // All at once: the store's threads are busy as long as there is something to do.
  const packed = await Promise.all(
    pieces.map((piece) => {
      if (piece instanceof Uint8Array) return piece;
      const counter = countUpTo(piece.size, onBytes);
      return store.zstdBlocks(piece, level, counter.add).finally(counter.finish);
    }),
  );
  return spliceFrame(packed, (bytes) => store.zstdRun(bytes, level));
}

async function streamOf(pieces: readonly SourcePart[], { level, store, onBytes }: PackOptions): Promise<KnownPart[]> {
  const parts: Promise<{ part: KnownPart; records: readonly XzRecord[] }>[] = [];
  const run = async (bytes: Uint8Array) => {
    const { bytes: part, records } = await store.xzRun(bytes, level);
    return { part, records };
  };
  let pending: Uint8Array[] = [];
  const flush = () => {
    if (pending.length > 0) parts.push(run(Buffer.concat(pending)));
    pending = [];
  };
  for (const piece of pieces) {
    if (piece instanceof Uint8Array) {
      if (piece.length > 0) pending.push(piece);
    } else {
      flush();
      const counter = countUpTo(piece.size, onBytes);
      const blocks = store.xzBlocks(piece, level, counter.add).finally(counter.finish);
      parts.push(blocks.then((part) => ({ part, records: part.records })));
    }
  }
  flush();
  const made = await Promise.all(parts);
  return [streamHeader(), ...made.map(({ part }) => part), streamEnd(made.flatMap(({ records }) => records))];
}

async function memberOf(pieces: readonly SourcePart[], { level, store, onBytes }: PackOptions): Promise<KnownPart[]> {
  const made = await Promise.all(
    pieces.map(async (piece) => {
      if (piece instanceof Uint8Array) {
        const part = await deflateRun(piece, level, new Uint8Array());
        return { part, unpacked: { crc32: crc32(piece), size: piece.length } };
      }
      const counter = countUpTo(piece.size, onBytes);
      const part = await store.deflateBlocks(piece, level, counter.add).finally(counter.finish);
      return { part, unpacked: part.unpacked };
    }),
  );
  const unpacked = made.reduce(
    (all, { unpacked: { crc32, size } }) => ({ crc32: joinCrc32(all.crc32, crc32, size), size: all.size + size }),
    { crc32: 0, size: 0 },
  );
  return [memberHeader(level), ...made.map(({ part }) => part), memberEnd(unpacked.crc32, unpacked.size)];
}

const PUT_TOGETHER: Readonly<
  Record<BlockCodec, (pieces: readonly SourcePart[], options: PackOptions) => Promise<KnownPart[]>>
> = { zstd: frameOf, xz: streamOf, gzip: memberOf };

/** Counts a content's bytes as they are read, and at the end those that were never read since the blocks were there. */
function countUpTo(size: number, onBytes: OnRead | undefined) {
  let counted = 0;
  const add = (bytes: number) => {
    // Somebody may have to read it again.
    const more = Math.min(bytes, size - counted);
    counted += more;
    if (more > 0) onBytes?.(more);
  };
  return { add, finish: () => add(size) };
}
