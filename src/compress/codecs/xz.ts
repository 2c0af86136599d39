import { type Chunks, rechunk } from '../../archive/chunks.ts';
import { KubeparcelError } from '../../support/errors.ts';

/**
 * A compressed chunk of this size can unpack to about 7000 times as much, all of which liblzma's binding keeps until the
 * chunk is done.
 */
const DECODER_INPUT_SIZE = 4096;
/** xz -9 needs 65 MiB to unpack; dictionaries of more than this are not found in packages. */
const DECODER_MEMORY = 160 << 20;

/**
 * liblzma's stream below the package's own stream class, which cuts its input at every "YZ" and passes over trailing
 * bytes. `code` works on another thread and then calls `bufferHandler`: with each buffer of output, with null at the end
 * of the stream (or an error), and last with the number of chunks that it has taken in.
 */
interface NativeStream {
  bufferHandler(
    output: Buffer | null | undefined,
    processed: number | undefined,
    error: Error | null | undefined,
    totalIn: number | null,
  ): void;
  /** `easyEncoder` of the package takes preset 0 for none, and makes it 6. */
  easyEncoder_(preset: number, check: number): void;
  streamDecoder(options: { memlimit: number }): void;
  code(input: Uint8Array | null, onOtherThread: boolean): void;
  resetUnderlying(): void;
}
interface Liblzma {
  readonly Stream: new () => NativeStream;
  readonly CHECK_CRC64: number;
}

/** One xz stream with one block and a CRC64 of its content, as `xz -LEVEL` makes it. */
export async function* xz(chunks: Chunks, level: number): AsyncGenerator<Uint8Array, void, undefined> {
  const { Stream, CHECK_CRC64 } = await loadLiblzma();
  const coder = startCoder(Stream, (stream) => stream.easyEncoder_(level, CHECK_CRC64));
  try {
    for await (const chunk of chunks) {
      yield* (await coder.code(chunk)).output;
    }
    yield* (await coder.code(null)).output;
  } finally {
    coder.close();
  }
}

/** Unpacks exactly one xz stream. */
export async function* unxz(chunks: Chunks): AsyncGenerator<Uint8Array, void, undefined> {
  const { Stream } = await loadLiblzma();
  const coder = startCoder(Stream, (stream) => stream.streamDecoder({ memlimit: DECODER_MEMORY }));
  try {
    let taken = 0;
    let ended = false;
    for await (const chunk of rechunk(chunks, DECODER_INPUT_SIZE)) {
      if (ended) {
        throw new KubeparcelError('format', 'bytes follow the xz stream');
      }
      const step = await coder.code(chunk);
      taken += chunk.length;
      yield* step.output;
      ended = step.ended;
      if (ended && step.totalIn !== taken) {
        throw new KubeparcelError('format', 'bytes follow the xz stream');
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
  /** Bytes of input that the stream has used since its start. */
  readonly totalIn: number;
}

function startCoder(Stream: Liblzma['Stream'], open: (stream: NativeStream) => void) {
  const stream = new Stream();
  open(stream);
  return {
    /** Takes in one chunk, or the end of the input (null). */
    code: (input: Uint8Array | null) =>
      new Promise<Step>((resolve, reject) => {
        const output: Buffer[] = [];
        let ended = false;
        let failure: Error | undefined;
        let totalIn = 0;
        stream.bufferHandler = (buffer, processed, error, total) => {
          totalIn = total ?? totalIn;
          if (error) {
            failure = error;
          } else if (buffer === null) {
            ended = true;
          } else if (buffer !== undefined) {
            output.push(buffer);
          }
          if (processed !== undefined) {
            failure === undefined ? resolve({ output, ended, totalIn }) : reject(failure);
          }
        };
        stream.code(input, true);
      }),
    close: () => stream.resetUnderlying(),
  };
}

async function loadLiblzma(): Promise<Liblzma> {
  try {
    const { default: library } = await import('lzma-native');
    return library as unknown as Liblzma;
  } catch (cause) {
    throw new KubeparcelError('io', `xz cannot be used on this machine (${process.platform} ${process.arch})`, {
      where: 'the package lzma-native, which brings liblzma',
      hint: 'choose gzip or zstd instead (--compression zstd)',
      cause,
    });
  }
}
