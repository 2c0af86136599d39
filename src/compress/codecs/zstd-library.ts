import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import type { Zstd } from '@hpcc-js/wasm-zstd';
import { Thread } from '../threads/thread.ts';

export type ZstdCall =
  /** Ends what was begun, and starts a frame at this level. */
  | { readonly call: 'begin'; readonly level: number }
  | { readonly call: 'compress'; readonly chunk: Uint8Array }
  | { readonly call: 'finish' }
  /** All of a frame at once, with its content size, and with tables that are not larger than it needs. */
  | { readonly call: 'frame'; readonly bytes: Uint8Array; readonly level: number }
  /** Pieces of a frame, each of which unpacks to `most` bytes or fewer. */
  | { readonly call: 'decompress'; readonly pieces: readonly Uint8Array[]; readonly most: number };

export type ZstdThread = Thread<ZstdCall, readonly Uint8Array[]>;

/**
 * A fresh (de)compressor made from the library: a function from calls to their output. It stands on nothing outside
 * itself, since the worker gets it as source text (Node 20 cannot start a worker from a TypeScript file).
 */
export function startZstd(zstd: Zstd, level: number): (call: ZstdCall) => Uint8Array[] {
  // Version 1.12 copies its output number by number through an array. Where the parts that it does so with are no longer
  // as they were, its own way is slow and right.
  const heap = Reflect.get(zstd, '_mainModule');
  if (typeof heap?.heapView === 'function' && typeof heap.heapToUint8Array === 'function') {
    heap.heapToUint8Array = (region: unknown) => heap.heapView(region).slice();
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
    return call.pieces.map((piece) => zstd.decompressChunk(piece, call.most));
  };
}

/** The first frame takes ten times as long as others: its code is compiled. */
const FIRST_CALL = `call({ call: 'frame', bytes: Buffer.alloc(4096, 'a line of text'), level: 19 });`;

/**
 * A (de)compressor on a thread of its own, with a memory of its own. It must be closed. The chunk of a `compress` is
 * handed over and may not be used again.
 *
 * @param options.eager the library is loaded before it is called for
 */
export function startZstdThread(level: number, options: { readonly eager?: boolean } = {}): ZstdThread {
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
