import { createHash } from 'node:crypto';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { SourceContent } from '../archive/archive-source.ts';
import type { Chunks } from '../archive/chunks.ts';
import type { Codec } from '../model/compression.ts';
import { untilAborted } from '../support/abort.ts';
import { formatChecksummed, parseChecksummed } from '../support/checksummed-lines.ts';
import { KubeparcelError } from '../support/errors.ts';
import { syncFile } from '../support/file-system.ts';
import { type FileChunk, type OutputChunk, totalSize } from '../support/output-chunks.ts';
import { ownedSuffix } from '../support/ownership.ts';
import { storeFailure } from '../support/store-failure.ts';
import { type PlaceOptions, placeAtomically, type WrittenFile, writeAtomically } from '../support/write-atomically.ts';
import { BlockCompressor } from './block-compressor.ts';
import {
  type AppendBytes,
  type BlockFacts,
  readBlocks,
  readIfFile,
  readRun,
  type StoredBlocks,
  writeBlocks,
} from './block-file.ts';
import type { CompressionThreads } from './compression-threads.ts';
import type { XzRecord, XzRun } from './splice/xz-blocks.ts';
import type { ZstdRun } from './splice/zstd-run.ts';
import type { ZstdBlocks } from './splice/zstd-splice.ts';

/** Codecs that compress into blocks that can be joined. */
export type BlockCodec = Exclude<Codec, 'none'>;

export function isBlockCodec(codec: Codec): codec is BlockCodec {
  return codec !== 'none';
}

/**
 * Name of the cache directory for blocks. Change it whenever the same content, codec and level give different blocks:
 * after a change of a library, a segment size or the format of block files.
 */
export const BLOCK_RECIPE = 'zstd-wasm-1.12.5-lzma-native-8.0.6-2';
/** For gzip, blocks depend on the version of Node's zlib. */
const CODEC_VERSIONS: Readonly<Record<BlockCodec, string>> = {
  zstd: '',
  xz: '',
  gzip: `-zlib-${process.versions.zlib}`,
};

/** Blocks of an xz stream in a file. */
export interface XzBlocks extends FileChunk {
  readonly records: readonly XzRecord[];
  /** Differs if the blocks differ. */
  readonly key: string;
}

/** Deflate blocks in a file. */
export interface DeflateBlocks extends FileChunk {
  /** CRC-32 and size in bytes of the uncompressed content. */
  readonly unpacked: { readonly crc32: number; readonly size: number };
  /** Differs if the blocks differ. */
  readonly key: string;
}

/** Called with the number of content bytes read since the last call. */
export type OnProgress = (bytes: number) => void;

interface ReadProgress {
  bytes: number;
  readonly listeners: Set<OnProgress>;
}

/**
 * Cache of compressed blocks: compresses each large file once per codec and level. Several processes may use the
 * directory at the same time, because files appear by rename. Damaged files are replaced.
 */
export class BlockStore {
  readonly #directory: string;
  readonly #threads: CompressionThreads;
  readonly #signal: AbortSignal | undefined;
  readonly #compressor: BlockCompressor;
  /** By path: concurrent and later requests share one result. */
  readonly #blocks = new Map<string, Promise<StoredBlocks>>();
  readonly #runs = new Map<string, Promise<ZstdRun>>();
  readonly #reads = new Map<string, ReadProgress>();
  #hasNewBlocks = false;

  /**
   * @param directory directory of the content store
   * @param jobs number of segments to compress in parallel
   * @param signal when aborted, nothing more is read or started; running work on `threads` finishes
   */
  static async open(
    directory: string,
    threads: CompressionThreads,
    jobs: number,
    signal?: AbortSignal | undefined,
  ): Promise<BlockStore> {
    const store = new BlockStore(directory, threads, jobs, signal);
    await mkdir(store.#temporaryDirectory, { recursive: true });
    return store;
  }

  private constructor(directory: string, threads: CompressionThreads, jobs: number, signal: AbortSignal | undefined) {
    this.#directory = directory;
    this.#threads = threads;
    this.#signal = signal;
    this.#compressor = new BlockCompressor(threads, jobs, signal);
  }

  /** Whether this instance added blocks of contents. */
  get hasNewBlocks(): boolean {
    return this.#hasNewBlocks;
  }

  /**
   * Returns the content's blocks. Reads the content only if they are not in the cache, and once for all callers.
   *
   * @param onProgress reports the bytes read, even if another caller started reading
   */
  async zstdBlocks(content: SourceContent, level: number, onProgress?: OnProgress): Promise<ZstdBlocks> {
    const { windowDescriptor = 0, ...blocks } = await this.#blocksOf('zstd', content, level, onProgress);
    return { windowDescriptor, ...blocks };
  }

  /** Like zstdBlocks. */
  async xzBlocks(content: SourceContent, level: number, onProgress?: OnProgress): Promise<XzBlocks> {
    const { records = [], ...blocks } = await this.#blocksOf('xz', content, level, onProgress);
    return { records, ...blocks };
  }

  /** Like zstdBlocks. */
  async deflateBlocks(content: SourceContent, level: number, onProgress?: OnProgress): Promise<DeflateBlocks> {
    const { unpacked, ...blocks } = await this.#blocksOf('gzip', content, level, onProgress);
    if (unpacked === undefined) throw new Error('a gzip block file does not state the size of its content');
    return { unpacked, ...blocks };
  }

  /** Compresses the content into the cache. */
  async add(codec: BlockCodec, content: SourceContent, level: number): Promise<void> {
    await this.#blocksOf(codec, content, level);
  }

  /** The blocks of small contents and headers; cached by the digest of the bytes. */
  zstdRun(bytes: Uint8Array, level: number): Promise<ZstdRun> {
    const path = this.#pathOf(`zstd-run-${level}`, createHash('sha256').update(bytes).digest('hex'));
    const write = async (temporary: string) => {
      const { window, blocks } = await this.#compressor.zstdRun(bytes, level);
      const make = async (append: AppendBytes) => {
        await append(Buffer.concat(blocks));
        return { windowDescriptor: window };
      };
      await writeBlocks(temporary, make, { sync: false });
    };
    return shared(this.#runs, path, async () => {
      const { windowDescriptor = 0, bytes } = await this.#findOrWrite(path, readRun, write);
      return { window: windowDescriptor, blocks: [bytes] };
    });
  }

  /** A zstd frame with a content checksum; not cached. */
  zstdFrame(bytes: Uint8Array, level: number): Promise<Uint8Array> {
    return this.#compressor.zstdFrame(bytes, level);
  }

  /** The xz blocks of small contents and headers; not cached. */
  xzRun(bytes: Uint8Array, level: number): Promise<XzRun> {
    return this.#compressor.xzRun([bytes], level);
  }

  /**
   * Caches one line of text that depends only on the bytes that the key identifies, for example another digest.
   *
   * @param compute called if the line is not cached
   */
  async fact(kind: string, key: string, compute: () => Promise<string>): Promise<string> {
    const path = this.#pathOf('facts', kind, key);
    const known = parseChecksummed((await readIfFile(path).catch(this.#fail))?.toString() ?? '')?.[0];
    if (known !== undefined) return known;
    const fact = await compute();
    try {
      await mkdir(dirname(path), { recursive: true });
      const options = { temporaryDirectory: this.#temporaryDirectory, sync: false } as const;
      await writeAtomically(path, [formatChecksummed([fact])], options);
    } catch (cause) {
      this.#fail(cause);
    }
    return fact;
  }

  /** The digest of all bytes in hex, computed on a thread. */
  digest(algorithm: 'md5' | 'sha256', chunks: readonly OutputChunk[]): Promise<string> {
    return this.#threads.files.digest(algorithm, chunks);
  }

  /** Like writeAtomically with mode 0644, on a thread. It cannot be aborted. */
  async write(path: string, chunks: readonly OutputChunk[], options: PlaceOptions): Promise<WrittenFile> {
    const sha256 = await placeAtomically(path, options, async (temporary) => {
      const digest = await this.#threads.files.write(temporary, 0o644, chunks);
      // Synced here, so that the thread can already write the next file.
      await syncFile(temporary);
      return digest;
    });
    return { path, size: totalSize(chunks), sha256 };
  }

  get #temporaryDirectory(): string {
    return join(this.#directory, 'tmp');
  }

  #pathOf(...names: [...directories: string[], key: string]): string {
    const key = names.at(-1) ?? '';
    return join(this.#directory, 'packed', BLOCK_RECIPE, ...names.slice(0, -1), key.slice(0, 2), key.slice(2));
  }

  async #blocksOf(
    codec: BlockCodec,
    content: SourceContent,
    level: number,
    onProgress?: OnProgress,
  ): Promise<FileChunk & BlockFacts & { readonly key: string }> {
    const path = this.#pathOf(`${codec}${CODEC_VERSIONS[codec]}-${level}`, content.key);
    const progress = this.#reads.get(path) ?? { bytes: 0, listeners: new Set() };
    this.#reads.set(path, progress);
    if (onProgress !== undefined) {
      onProgress(progress.bytes);
      progress.listeners.add(onProgress);
    }
    const open = () => withProgress(untilAborted(content.open(), this.#signal), progress);
    const write = async (temporary: string) => {
      await writeBlocks(temporary, (append) => this.#compressor[codec]({ ...content, open }, level, append));
      this.#hasNewBlocks = true;
    };
    const crcOf = (file: string, size: number) => this.#threads.files.crc32([{ path: file, size }]);
    const find = (file: string) => readBlocks(file, crcOf);
    const { crc32, ...blocks } = await shared(this.#blocks, path, () => this.#findOrWrite(path, find, write));
    return { ...blocks, key: `${content.key} ${crc32}` };
  }

  /** Reads a file of the cache, or writes it if it is missing or damaged, and reads it back. */
  async #findOrWrite<T>(
    path: string,
    find: (path: string) => Promise<T | undefined>,
    write: (path: string) => Promise<void>,
  ): Promise<T> {
    const found = await find(path).catch(this.#fail);
    if (found !== undefined) return found;
    const temporary = join(this.#temporaryDirectory, `object${ownedSuffix()}`);
    try {
      await write(temporary);
      await mkdir(dirname(path), { recursive: true });
      await rename(temporary, path);
    } catch (cause) {
      await rm(temporary, { force: true });
      this.#fail(cause);
    }
    const written = await find(path).catch(this.#fail);
    if (written !== undefined) return written;
    throw new KubeparcelError('io', 'a file reads back differently than it was written', {
      where: path,
      hint: 'check the disk',
    });
  }

  readonly #fail = (cause: unknown): never => {
    throw storeFailure(this.#directory, cause);
  };
}

async function* withProgress(chunks: Chunks, progress: ReadProgress): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of chunks) {
    progress.bytes += chunk.length;
    for (const listener of progress.listeners) listener(chunk.length);
    yield chunk;
  }
}

/** Calls `make` once per name; all callers share the result. */
function shared<T>(results: Map<string, Promise<T>>, name: string, make: () => Promise<T>): Promise<T> {
  const result = results.get(name) ?? make();
  results.set(name, result);
  return result;
}
