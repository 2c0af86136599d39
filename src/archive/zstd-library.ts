import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { Zstd } from '@hpcc-js/wasm-zstd';

export type ZstdCall =
  /** Ends what was begun, and starts a frame at this level. */
  | { readonly call: 'begin'; readonly level: number }
  | { readonly call: 'compress'; readonly chunk: Uint8Array }
  | { readonly call: 'finish' }
  /** All of a frame at once, with its content size, and with tables that are not larger than it needs. */
  | { readonly call: 'frame'; readonly bytes: Uint8Array; readonly level: number }
  /** Pieces of a frame, each of which unpacks to `most` bytes or fewer. */
  | { readonly call: 'decompress'; readonly pieces: readonly Uint8Array[]; readonly most: number };

export interface ZstdThread {
  /** One call at a time. The chunk of a `compress` is handed over and may not be used again. */
  run(call: ZstdCall): Promise<readonly Uint8Array[]>;
  close(): Promise<void>;
}

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

const WORKER_SOURCE = `
const { parentPort, workerData } = require('node:worker_threads');
const starting = import(workerData.library)
  .then(({ Zstd }) => Zstd.load())
  .then((zstd) => (${startZstd.toString()})(zstd, workerData.level));
parentPort.on('message', async (call) => {
  try {
    const output = (await starting)(call);
    parentPort.postMessage({ output }, output.map((bytes) => bytes.buffer));
  } catch (error) {
    parentPort.postMessage({ failure: error instanceof Error ? error.message : String(error) });
  }
});
`;

/**
 * A (de)compressor on a thread of its own, with a memory of its own. It keeps the process alive only while a call is
 * under way, and must be closed.
 */
export function startZstdThread(level: number): ZstdThread {
  const library = pathToFileURL(createRequire(import.meta.url).resolve('@hpcc-js/wasm-zstd')).href;
  const worker = new Worker(WORKER_SOURCE, { eval: true, execArgv: [], workerData: { library, level } });
  let settle: { resolve: (output: Uint8Array[]) => void; reject: (error: Error) => void } | undefined;
  let broken: Error | undefined;
  const fail = (error: Error) => {
    broken ??= error;
    settle?.reject(error);
  };
  worker.unref();
  worker.on('message', (answer: { output: Uint8Array[] } | { failure: string }) => {
    'output' in answer ? settle?.resolve(answer.output) : settle?.reject(new Error(answer.failure));
  });
  worker.on('error', fail);
  worker.on('exit', () => fail(new Error('the zstd thread has ended')));
  return {
    run: async (call) => {
      if (broken !== undefined) {
        throw broken;
      }
      worker.ref();
      try {
        return await new Promise<Uint8Array[]>((resolve, reject) => {
          settle = { resolve, reject };
          worker.postMessage(call, call.call === 'compress' ? [call.chunk.buffer as ArrayBuffer] : []);
        });
      } finally {
        settle = undefined;
        worker.unref();
      }
    },
    close: async () => {
      await worker.terminate();
    },
  };
}
