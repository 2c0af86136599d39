import { type Chunks, rechunk } from '../../archive/chunks.ts';
import { KubeparcelError } from '../../support/errors.ts';

/**
 * Bytes. Decompressed data can be 7000 times as large, and the binding of liblzma keeps the output of a whole chunk in
 * memory.
 */
const DECODER_INPUT_SIZE = 4096;
/** Bytes; xz -9 needs 65 MiB. */
const DECODER_MEMORY = 160 << 20;

/**
 * The native stream behind lzma-native's stream class, which is not used because it splits its input at every "YZ" and
 * ignores trailing bytes. `code` works on another thread and then calls `bufferHandler`: once per output buffer, once
 * with null at the end of the stream or with an error, and finally with the number of processed chunks.
 */
interface NativeStream {
  bufferHandler(
    output: Buffer | null | undefined,
    processed: number | undefined,
    error: Error | null | undefined,
    totalIn: number | null,
  ): void;
  /** Used because lzma-native's `easyEncoder` replaces preset 0 with 6. */
  easyEncoder_(preset: number, check: number): void;
  streamDecoder(options: { memlimit: number }): void;
  code(input: Uint8Array | null, onOtherThread: boolean): void;
  resetUnderlying(): void;
}
interface Liblzma {
  readonly Stream: new () => NativeStream;
  readonly CHECK_CRC64: number;
}

/** Compresses one xz stream with one block and a CRC64 of the content, like `xz -LEVEL`. */
export async function* xz(chunks: Chunks, level: number): AsyncGenerator<Uint8Array, void, undefined> {
  const { Stream, CHECK_CRC64 } = await loadLiblzma();
  const coder = new Coder(Stream, (stream) => stream.easyEncoder_(level, CHECK_CRC64));
  try {
    for await (const chunk of chunks) {
      yield* (await coder.code(chunk)).output;
    }
    yield* (await coder.code(null)).output;
  } finally {
    coder.close();
  }
}

/** Decompresses exactly one xz stream. */
export async function* unxz(chunks: Chunks): AsyncGenerator<Uint8Array, void, undefined> {
  const { Stream } = await loadLiblzma();
  const coder = new Coder(Stream, (stream) => stream.streamDecoder({ memlimit: DECODER_MEMORY }));
  try {
    let read = 0;
    let ended = false;
    for await (const chunk of rechunk(chunks, DECODER_INPUT_SIZE)) {
      if (ended) {
        throw new KubeparcelError('format', 'trailing bytes after the xz stream');
      }
      const step = await coder.code(chunk);
      read += chunk.length;
      yield* step.output;
      ended = step.ended;
      if (ended && step.totalIn !== read) {
        throw new KubeparcelError('format', 'trailing bytes after the xz stream');
      }
    }
    if (!ended) {
      throw new KubeparcelError('format', 'truncated xz stream');
    }
  } catch (error) {
    if (error instanceof Error && /^LZMA_/.test(error.name)) {
      throw new KubeparcelError('format', `damaged xz stream (${error.message})`, { cause: error });
    }
    throw error;
  } finally {
    coder.close();
  }
}

interface Step {
  readonly output: readonly Buffer[];
  readonly ended: boolean;
  /** Input bytes used since the start of the stream. */
  readonly totalIn: number;
}

class Coder {
  readonly #stream: NativeStream;

  constructor(Stream: Liblzma['Stream'], open: (stream: NativeStream) => void) {
    this.#stream = new Stream();
    open(this.#stream);
  }

  /** @param input one chunk, or null for the end of the input */
  code(input: Uint8Array | null): Promise<Step> {
    return new Promise((resolve, reject) => {
      const output: Buffer[] = [];
      let ended = false;
      let failure: Error | undefined;
      let totalIn = 0;
      this.#stream.bufferHandler = (buffer, processed, error, total) => {
        totalIn = total ?? totalIn;
        if (error) failure = error;
        else if (buffer === null) ended = true;
        else if (buffer !== undefined) output.push(buffer);
        if (processed !== undefined) {
          failure === undefined ? resolve({ output, ended, totalIn }) : reject(failure);
        }
      };
      this.#stream.code(input, true);
    });
  }

  close(): void {
    this.#stream.resetUnderlying();
  }
}

async function loadLiblzma(): Promise<Liblzma> {
  try {
    const { default: library } = await import('lzma-native');
    return library as unknown as Liblzma;
  } catch (cause) {
    throw new KubeparcelError('io', `xz is not available on this machine (${process.platform} ${process.arch})`, {
      where: 'the npm package lzma-native',
      hint: 'use --compression zstd or --compression gzip',
      cause,
    });
  }
}
