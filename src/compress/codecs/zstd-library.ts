import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import type { Zstd } from '@hpcc-js/wasm-zstd';
import { Thread } from '../threads/thread.ts';

export type ZstdCall =
  /** Discards an unfinished frame, and starts a frame at this level. */
  | { readonly call: 'begin'; readonly level: number }
  | { readonly call: 'compress'; readonly chunk: Uint8Array }
  | { readonly call: 'finish' }
  /** A whole frame with content size; its tables are sized for the content. */
  | { readonly call: 'frame'; readonly bytes: Uint8Array; readonly level: number }
  /** Parts of a frame, each at most `maxSize` bytes decompressed. */
  | { readonly call: 'decompress'; readonly parts: readonly Uint8Array[]; readonly maxSize: number };

export type ZstdThread = Thread<ZstdCall, readonly Uint8Array[]>;

/**
 * Resets the library, and returns a function that executes calls. The worker gets this function as source text, so it
 * must not refer to anything outside itself (Node 20 cannot start a worker from a TypeScript file).
 */
export function startZstd(zstd: Zstd, level: number): (call: ZstdCall) => Uint8Array[] {
  // Faster than version 1.12, which copies its output byte by byte. If its internals change, its own code is used.
  const mainModule = Reflect.get(zstd, '_mainModule');
  if (typeof mainModule?.heapView === 'function' && typeof mainModule.heapToUint8Array === 'function') {
    mainModule.heapToUint8Array = (region: unknown) => mainModule.heapView(region).slice();
  }
  zstd.reset();
  zstd.setCompressionLevel(level);
  return (call) => {
    if (call.call === 'begin') {
      zstd.reset();
      zstd.setCompressionLevel(call.level);
      return [];
    }
    if (call.call === 'compress') {
      return [zstd.compressChunk(call.chunk)];
    }
    if (call.call === 'finish') {
      return [zstd.compressEnd()];
    }
    if (call.call === 'frame') {
      return [zstd.compress(call.bytes, call.level)];
    }
    return call.parts.map((part) => zstd.decompressChunk(part, call.maxSize));
  };
}

/** Warms up the library: the first frame takes ten times as long, because the code is compiled. */
const FIRST_CALL = `call({ call: 'frame', bytes: Buffer.alloc(4096, 'a line of text'), level: 19 });`;

/**
 * Starts a compressor and decompressor with its own thread and memory. The caller must close it. The chunk of a `compress`
 * call is transferred and cannot be used afterwards.
 *
 * @param options.eager load the library before the first call
 */
export function startZstdThread(level: number, options: { readonly eager?: boolean | undefined } = {}): ZstdThread {
  const library = pathToFileURL(createRequire(import.meta.url).resolve('@hpcc-js/wasm-zstd')).href;
  const start = `async ({ library, level }) => {
    const { Zstd } = await import(library);
    const call = (${startZstd.toString()})(await Zstd.load(), level);
    ${options.eager === true ? FIRST_CALL : ''}
    return call;
  }`;
  return new Thread(
    start,
    { library, level },
    {
      ...options,
      transfer: (call) => (call.call === 'compress' ? [call.chunk.buffer as ArrayBuffer] : []),
      transferAnswer: '(output) => output.map((bytes) => bytes.buffer)',
    },
  );
}
