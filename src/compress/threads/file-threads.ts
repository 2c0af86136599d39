import { availableParallelism } from 'node:os';
import { mergeBytes } from '../../archive/archive-source.ts';
import { KubeparcelError } from '../../support/errors.ts';
import { isErrno } from '../../support/file-system.ts';
import { type FileChunk, type OutputChunk, totalSize } from '../../support/output-chunks.ts';
import { Thread, ThreadPool } from './thread.ts';

type FileCall =
  /** Returns the CRC-32 (in decimal) or a digest (in hex) of all bytes. */
  | { readonly call: 'sum'; readonly algorithm: 'crc32' | 'md5' | 'sha256'; readonly chunks: readonly OutputChunk[] }
  /** Writes the chunks into a new file with exactly this mode; returns their SHA-256 in hex. */
  | { readonly call: 'write'; readonly path: string; readonly mode: number; readonly chunks: readonly OutputChunk[] };

interface Modules {
  readonly fs: typeof import('node:fs');
  readonly crypto: typeof import('node:crypto');
  readonly zlib: typeof import('node:zlib');
}

/**
 * Reads, hashes and writes large files through one small buffer: twice as fast as streams, which allocate a buffer for
 * each chunk. The thread gets this function as source text, so it must not refer to anything else.
 */
function fileCalls({ fs, crypto, zlib }: Modules): (call: FileCall) => string {
  const buffer = Buffer.allocUnsafeSlow(1 << 18);
  const forEachBlock = (chunks: readonly OutputChunk[], take: (bytes: Uint8Array) => void) => {
    for (const chunk of chunks) {
      if (chunk instanceof Uint8Array) {
        // zlib.crc32 returns 0 for an empty array, whatever the initial value.
        if (chunk.length > 0) take(chunk);
        continue;
      }
      const file = fs.openSync(chunk.path, 'r');
      try {
        for (let left = chunk.size; left > 0; ) {
          const count = fs.readSync(file, buffer, 0, Math.min(left, buffer.length), null);
          if (count === 0) throw new Error(`${chunk.path} became shorter while it was read`);
          take(buffer.subarray(0, count));
          left -= count;
        }
      } finally {
        fs.closeSync(file);
      }
    }
  };
  return (call) => {
    if (call.call === 'sum' && call.algorithm === 'crc32') {
      let crc = 0;
      forEachBlock(call.chunks, (bytes) => {
        crc = zlib.crc32(bytes, crc);
      });
      return String(crc);
    }
    const hash = crypto.createHash(call.call === 'sum' ? call.algorithm : 'sha256');
    if (call.call === 'sum') {
      forEachBlock(call.chunks, (bytes) => hash.update(bytes));
      return hash.digest('hex');
    }
    const file = fs.openSync(call.path, 'wx', call.mode);
    try {
      forEachBlock(call.chunks, (bytes) => {
        hash.update(bytes);
        for (let at = 0; at < bytes.length; ) at += fs.writeSync(file, bytes, at);
      });
      fs.fchmodSync(file, call.mode);
    } finally {
      fs.closeSync(file);
    }
    return hash.digest('hex');
  };
}

const MODULES = "{ fs: require('node:fs'), crypto: require('node:crypto'), zlib: require('node:zlib') }";

/** More threads would only wait for the disk. */
const MAX_THREADS = 4;

/** Threads that hash and write files. Larger jobs run first. */
export class FileThreads {
  readonly #pool = new ThreadPool(
    Math.min(availableParallelism(), MAX_THREADS),
    () => new Thread<FileCall, string>(`() => (${fileCalls.toString()})(${MODULES})`, undefined, { eager: true }),
  );

  async crc32(chunks: readonly OutputChunk[]): Promise<number> {
    return Number(await this.#run({ call: 'sum', algorithm: 'crc32', chunks: transferable(chunks) }));
  }

  /** @returns the digest of all bytes in hex */
  digest(algorithm: 'md5' | 'sha256', chunks: readonly OutputChunk[]): Promise<string> {
    return this.#run({ call: 'sum', algorithm, chunks: transferable(chunks) });
  }

  /**
   * Writes a new file with exactly this mode, whatever the umask. Does not sync it.
   *
   * @returns the SHA-256 of its bytes in hex
   */
  write(path: string, mode: number, chunks: readonly OutputChunk[]): Promise<string> {
    return this.#run({ call: 'write', path, mode, chunks: transferable(chunks) });
  }

  /** Starts all threads now. */
  fill(): Promise<void> {
    return this.#pool.fill();
  }

  close(): Promise<void> {
    return this.#pool.close();
  }

  async #run(call: FileCall): Promise<string> {
    try {
      return await this.#pool.with((thread) => thread.run(call), totalSize(call.chunks));
    } catch (cause) {
      if (isErrno(cause, 'ENOENT') && call.chunks.some((chunk) => 'path' in chunk && chunk.path === cause.path)) {
        throw new KubeparcelError('io', 'another process removed a cache file during the build', {
          where: cause.path,
          hint: 'run the command again; prune the cache only when no build is running',
          cause,
        });
      }
      throw cause;
    }
  }
}

/** The same bytes in as few chunks as possible, with only the properties that can be sent to a thread. */
function transferable(chunks: readonly OutputChunk[]): OutputChunk[] {
  return mergeBytes<FileChunk>(chunks).map((chunk) =>
    chunk instanceof Uint8Array ? chunk : { path: chunk.path, size: chunk.size },
  );
}
