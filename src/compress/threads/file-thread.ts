import type { OutputChunk } from '../../support/output-chunks.ts';
import { startThread, type Thread } from './thread.ts';

export type FileCall =
  /** CRC-32 as zlib has it, or a digest in hex, of all bytes of the chunks. */
  | { readonly call: 'sum'; readonly algorithm: 'crc32' | 'md5' | 'sha256'; readonly chunks: readonly OutputChunk[] }
  /** Writes the chunks into a new file; their SHA-256 in hex. The mode is as given, whatever the umask. */
  | { readonly call: 'write'; readonly path: string; readonly mode: number; readonly chunks: readonly OutputChunk[] };

export type FileThread = Thread<FileCall, string>;

interface Modules {
  readonly fs: typeof import('node:fs');
  readonly crypto: typeof import('node:crypto');
  readonly zlib: typeof import('node:zlib');
}

/**
 * Reads, sums and writes big files through one small buffer: half the time of streams, which make a new buffer for each
 * chunk. It stands on nothing outside itself, since the thread gets it as source text.
 */
function fileCalls({ fs, crypto, zlib }: Modules): (call: FileCall) => string {
  const buffer = Buffer.allocUnsafeSlow(1 << 18);
  const each = (chunks: readonly OutputChunk[], take: (bytes: Uint8Array) => void) => {
    for (const part of chunks) {
      if (part instanceof Uint8Array) {
        // zlib.crc32 begins anew at an empty array.
        if (part.length > 0) take(part);
        continue;
      }
      const file = fs.openSync(part.path, 'r');
      try {
        for (let left = part.size; left > 0; ) {
          const count = fs.readSync(file, buffer, 0, Math.min(left, buffer.length), null);
          if (count === 0) throw new Error(`${part.path} is shorter than it was`);
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
      each(call.chunks, (bytes) => {
        crc = zlib.crc32(bytes, crc);
      });
      return String(crc);
    }
    const hash = crypto.createHash(call.call === 'sum' ? call.algorithm : 'sha256');
    if (call.call === 'sum') {
      each(call.chunks, (bytes) => hash.update(bytes));
      return hash.digest('hex');
    }
    const file = fs.openSync(call.path, 'wx', call.mode);
    try {
      each(call.chunks, (bytes) => {
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

/** A thread for work on files that takes the processor: sums, and writing with a digest. */
export function startFileThread(): FileThread {
  const modules = "{ fs: require('node:fs'), crypto: require('node:crypto'), zlib: require('node:zlib') }";
  return startThread(`() => (${fileCalls.toString()})(${modules})`, undefined, { ahead: true });
}
