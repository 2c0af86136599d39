import { startZstdThread, type ZstdThread } from './codecs/zstd-library.ts';
import { FileThreads } from './threads/file-threads.ts';
import { ThreadPool } from './threads/thread.ts';

/** The threads of a build. Threads for files and small contents start at once, because starting them takes a while. */
export class CompressionThreads {
  /** Threads for segments of large files; each uses up to 130 MB (level 19). The callers limit their number. */
  readonly zstd = new ThreadPool<ZstdThread>(Number.POSITIVE_INFINITY, () => startZstdThread(1));
  /** One thread for small contents, so that they do not wait for large ones. */
  readonly small = new ThreadPool<ZstdThread>(1, () => startZstdThread(1, { eager: true }));
  readonly files = new FileThreads();

  constructor() {
    // If a thread does not start, the first call that needs it reports why.
    this.files
      .fill()
      .then(() => this.small.fill())
      .catch(() => {});
  }

  async close(): Promise<void> {
    await Promise.all([this.zstd, this.small, this.files].map((threads) => threads.close()));
  }
}
