import type { Chunks } from '../../archive/chunks.ts';
import { KubeparcelError } from '../../support/errors.ts';
import { createXxh64, type Xxh64 } from './xxh64.ts';
import { type FramePart, frameParts, MAX_BLOCK_SIZE } from './zstd-frame.ts';
import { startZstd, startZstdThread, type ZstdCall, type ZstdThread } from './zstd-library.ts';

/** Frame header descriptor (RFC 8878, 3.1.1.1.1) and its checksum flag. */
const DESCRIPTOR_OFFSET = 4;
const CHECKSUM_FLAG = 0x04;

/**
 * Compresses one zstd frame with a content checksum, with libzstd as WebAssembly on its own thread. The library has no
 * option for the checksum, so it is added here: a flag in the frame header and four bytes at the end.
 *
 * @param chunks separate buffers, which are transferred to the thread
 */
export async function* zstd(
  chunks: AsyncIterable<Uint8Array>,
  level: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  const hash = await createXxh64();
  const thread = startZstdThread(level);
  const source = chunks[Symbol.asyncIterator]();
  let headerWritten = false;
  function* withChecksumFlag(output: readonly Uint8Array[]) {
    for (const bytes of output) {
      if (!headerWritten && bytes.length > DESCRIPTOR_OFFSET) {
        bytes[DESCRIPTOR_OFFSET] = (bytes[DESCRIPTOR_OFFSET] ?? 0) | CHECKSUM_FLAG;
        headerWritten = true;
      }
      if (bytes.length > 0) {
        yield bytes;
      }
    }
  }
  try {
    let next = await source.next();
    while (!next.done) {
      hash.update(next.value);
      const working = thread.run({ call: 'compress', chunk: next.value });
      // Read ahead while the thread compresses.
      const [output, following] = await Promise.all([working, source.next()]);
      next = following;
      yield* withChecksumFlag(output);
    }
    yield* withChecksumFlag(await thread.run({ call: 'finish' }));
    const checksum = Buffer.alloc(4);
    checksum.writeUInt32LE(hash.low32());
    yield checksum;
  } finally {
    await thread.close();
    await source.return?.();
  }
}

/** Adds a content checksum to a frame without one (RFC 8878, 3.1.1). */
export async function withChecksum(frame: Uint8Array, content: Uint8Array): Promise<Uint8Array> {
  const hash = await createXxh64();
  hash.update(content);
  const whole = Buffer.alloc(frame.length + 4);
  whole.set(frame);
  whole.writeUInt8(whole.readUInt8(DESCRIPTOR_OFFSET) | CHECKSUM_FLAG, DESCRIPTOR_OFFSET);
  whole.writeUInt32LE(hash.low32(), frame.length);
  return whole;
}

/** Frame parts passed to the thread at a time. */
const BATCH_BLOCKS = 32;

/**
 * Decompresses exactly one zstd frame, with libzstd as WebAssembly. Decompresses block by block, to bound the output and
 * to detect damaged blocks, because the library does not report libzstd's errors. Checks the stated sizes and checksum.
 */
export async function* unzstd(chunks: Chunks): AsyncGenerator<Uint8Array, void, undefined> {
  const batches = batchParts(frameParts(chunks));
  const frame = new FrameCheck(await createXxh64());
  let thread: ZstdThread | undefined;
  try {
    let batch = await batches.next();
    let following = await batches.next();
    if (!batch.done && following.done) {
      const { Zstd } = await import('@hpcc-js/wasm-zstd');
      const zstd = await Zstd.load();
      // Small frames are decompressed on this thread, without an await: the library has one instance per thread.
      yield* frame.check(batch.value, startZstd(zstd, 1)(callFor(batch.value)));
    } else {
      thread = startZstdThread(1);
      while (!batch.done) {
        yield* frame.check(batch.value, await thread.run(callFor(batch.value)));
        batch = following;
        following = await batches.next();
      }
    }
    frame.end();
  } finally {
    await thread?.close();
    await batches.return();
  }
}

async function* batchParts(parts: AsyncIterable<FramePart>): AsyncGenerator<FramePart[], void, undefined> {
  let batch: FramePart[] = [];
  for await (const part of parts) {
    batch.push(part);
    if (batch.length === BATCH_BLOCKS) {
      yield batch;
      batch = [];
    }
  }
  if (batch.length > 0) {
    yield batch;
  }
}

/** Leaves out the checksum: the library would not report a mismatch. */
function callFor(batch: readonly FramePart[]): ZstdCall {
  const parts = batch.flatMap((part) => (part.kind === 'checksum' ? [] : [part.bytes]));
  return { call: 'decompress', parts, maxSize: MAX_BLOCK_SIZE };
}

/** Checks the sizes and the checksum of a frame while it is decompressed. */
class FrameCheck {
  readonly #hash: Xxh64;
  #size = 0;
  #statedSize: number | undefined;
  #statedHash: number | undefined;

  constructor(hash: Xxh64) {
    this.#hash = hash;
  }

  /** @returns the content of the batch */
  *check(batch: readonly FramePart[], output: readonly Uint8Array[]): Generator<Uint8Array, void, undefined> {
    for (const [index, part] of batch.entries()) {
      const bytes = output[index];
      if (part.kind === 'header') {
        this.#statedSize = part.contentSize;
      } else if (part.kind === 'checksum') {
        this.#statedHash = part.value;
      } else {
        // The library returns nothing after an error in libzstd. No encoder writes an empty compressed block.
        if (
          bytes === undefined ||
          (part.unpackedSize === undefined ? bytes.length === 0 : bytes.length !== part.unpackedSize)
        ) {
          throw damaged('cannot decompress a block');
        }
        this.#size += bytes.length;
        this.#hash.update(bytes);
        yield bytes;
      }
    }
  }

  end(): void {
    if (this.#statedSize !== undefined && this.#statedSize !== this.#size) {
      throw damaged(`header states ${this.#statedSize} bytes of content, found ${this.#size}`);
    }
    if (this.#statedHash !== undefined && this.#statedHash !== this.#hash.low32()) {
      throw damaged('wrong checksum');
    }
  }
}

function damaged(why: string): KubeparcelError {
  return new KubeparcelError('format', `damaged zstd frame (${why})`);
}
