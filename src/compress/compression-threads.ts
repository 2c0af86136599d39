import { availableParallelism } from 'node:os';
import { startZstdThread, type ZstdThread } from './codecs/zstd-library.ts';
import { type FileThread, startFileThread } from './threads/file-thread.ts';
import { createThreadPool, type ThreadPool } from './threads/thread.ts';

/** What packing works with beside the main thread. */
export interface CompressionThreads {
  /** Compress segments of big contents; contexts of up to about 130 MB (level 19) each. Who asks bounds their number. */
  readonly zstd: ThreadPool<ZstdThread>;
  /** One for what is small, so that it need not wait for what is big. */
  readonly small: ThreadPool<ZstdThread>;
  readonly files: ThreadPool<FileThread>;
  close(): Promise<void>;
}

/** More would wait for the disk. */
const MOST_FILES = 4;

/** Those for files and for small things begin at once, since starting them takes as long as much of their work. */
export function createCompressionThreads(): CompressionThreads {
  const pools = {
    zstd: createThreadPool(Number.POSITIVE_INFINITY, () => startZstdThread(1)),
    small: createThreadPool(1, () => startZstdThread(1, { ahead: true })),
    files: createThreadPool(Math.min(availableParallelism(), MOST_FILES), startFileThread),
  };
  // Where they cannot be begun ahead, whoever needs them hears why.
  pools.files
    .fill()
    .then(() => pools.small.fill())
    .catch(() => {});
  return {
    ...pools,
    async close() {
      await Promise.all(Object.values(pools).map((pool) => pool.close()));
    },
  };
}
