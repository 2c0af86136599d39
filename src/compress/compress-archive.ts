import { crc32 } from 'node:zlib';
import {
  groupContents,
  mergeBytes,
  type SourceContent,
  type SourcePart,
  sourceKey,
} from '../archive/archive-source.ts';
import { orAborted } from '../support/abort.ts';
import { type FileChunk, type OutputChunk, totalSize } from '../support/output-chunks.ts';
import type { BlockCodec, BlockStore, OnProgress } from './block-store.ts';
import { deflateRun, joinCrc32, memberEnd, memberHeader } from './splice/gzip-blocks.ts';
import { streamEnd, streamHeader } from './splice/xz-blocks.ts';
import { spliceFrame } from './splice/zstd-splice.ts';

/** A compressed archive whose size is known before its bytes are read. */
export interface CompressedArchive {
  /** Bytes. */
  readonly size: number;
  /** 64 hex digits that identify the compressed bytes. */
  readonly key: string;
  readonly chunks: readonly OutputChunk[];
}

interface CompressOptions {
  readonly codec: BlockCodec;
  readonly level: number;
  readonly store: BlockStore;
  /** Called with the number of content bytes compressed since the last call. */
  readonly onBytes?: OnProgress | undefined;
  /** When aborted, the call fails at once; work in the store ends by the store's own signal. */
  readonly signal?: AbortSignal | undefined;
}

type KeyedChunk = Uint8Array | (FileChunk & { readonly key: string });

/**
 * Compresses an archive as one zstd frame (without checksum), one xz stream with several blocks, or one gzip member.
 * Takes the blocks of large files from the store, which compresses each file once for all archives.
 */
export async function compressArchive(
  source: Iterable<SourcePart>,
  options: CompressOptions,
): Promise<CompressedArchive> {
  const parts = await groupContents(source, options.codec);
  const chunks = await orAborted(COMPRESS[options.codec](parts, options), options.signal);
  // Computed from the blocks and not from the source, so that it changes if another version compresses differently.
  return { size: totalSize(chunks), key: sourceKey(chunks), chunks };
}

async function zstdFrame(parts: readonly SourcePart[], { level, store, onBytes }: CompressOptions) {
  const inputs = await Promise.all(
    parts.map((part) =>
      part instanceof Uint8Array
        ? part
        : countingBytes(part, onBytes, (onProgress) => store.zstdBlocks(part, level, onProgress)),
    ),
  );
  return spliceFrame(inputs, (bytes) => store.zstdRun(bytes, level));
}

async function xzStream(parts: readonly SourcePart[], { level, store, onBytes }: CompressOptions) {
  const runs = await Promise.all(
    mergeBytes(parts)
      .filter((part) => !(part instanceof Uint8Array) || part.length > 0)
      .map(async (part) => {
        if (part instanceof Uint8Array) {
          const { bytes, records } = await store.xzRun(part, level);
          return { chunk: bytes, records };
        }
        const blocks = await countingBytes(part, onBytes, (onProgress) => store.xzBlocks(part, level, onProgress));
        return { chunk: blocks, records: blocks.records };
      }),
  );
  return [streamHeader(), ...runs.map(({ chunk }) => chunk), streamEnd(runs.flatMap(({ records }) => records))];
}

async function gzipMember(parts: readonly SourcePart[], { level, store, onBytes }: CompressOptions) {
  const runs = await Promise.all(
    parts.map(async (part) => {
      if (part instanceof Uint8Array) {
        const chunk = await deflateRun(part, level, new Uint8Array());
        return { chunk, unpacked: { crc32: crc32(part), size: part.length } };
      }
      const chunk = await countingBytes(part, onBytes, (onProgress) => store.deflateBlocks(part, level, onProgress));
      return { chunk, unpacked: chunk.unpacked };
    }),
  );
  const unpacked = runs.reduce(
    (sum, { unpacked: { crc32, size } }) => ({ crc32: joinCrc32(sum.crc32, crc32, size), size: sum.size + size }),
    { crc32: 0, size: 0 },
  );
  return [memberHeader(level), ...runs.map(({ chunk }) => chunk), memberEnd(unpacked.crc32, unpacked.size)];
}

const COMPRESS: Readonly<
  Record<BlockCodec, (parts: readonly SourcePart[], options: CompressOptions) => Promise<KeyedChunk[]>>
> = { zstd: zstdFrame, xz: xzStream, gzip: gzipMember };

/** Counts each byte once, even if the content is read again. Counts bytes that the store did not read at the end. */
async function countingBytes<T>(
  { size }: SourceContent,
  onBytes: OnProgress | undefined,
  request: (onProgress: OnProgress) => Promise<T>,
): Promise<T> {
  let counted = 0;
  const onProgress = (bytes: number) => {
    const added = Math.min(bytes, size - counted);
    counted += added;
    if (added > 0) onBytes?.(added);
  };
  return request(onProgress).finally(() => onProgress(size));
}
