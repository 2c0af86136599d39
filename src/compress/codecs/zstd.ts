import type { Chunks } from '../../archive/chunks.ts';
import { KubeparcelError } from '../../support/errors.ts';
import { createXxh64 } from './xxh64.ts';
import { type FramePart, frameParts, MAX_BLOCK_SIZE } from './zstd-frame.ts';
import { startZstd, startZstdThread, type ZstdCall, type ZstdThread } from './zstd-library.ts';

/** Frame header descriptor (RFC 8878, 3.1.1.1.1) and its checksum flag. */
const DESCRIPTOR_OFFSET = 4;
const CHECKSUM_FLAG = 0x04;

/**
 * One zstd frame with a content checksum, made by libzstd as WebAssembly on a thread of its own. The library does not
 * ask libzstd for the checksum, so it is added here: a flag in the frame's header, and four bytes at its end.
 *
 * @param chunks each a buffer of its own, which is handed over to the thread
 */
export async function* zstd(
  chunks: AsyncIterable<Uint8Array>,
  level: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  const thread = startZstdThread(level);
  const source = chunks[Symbol.asyncIterator]();
  const hash = createXxh64();
  let headerWritten = false;
  function* finished(output: readonly Uint8Array[]) {
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
      // The source is read on while the thread compresses.
      const [output, following] = await Promise.all([working, source.next()]);
      next = following;
      yield* finished(output);
    }
    yield* finished(await thread.run({ call: 'finish' }));
    const checksum = Buffer.alloc(4);
    checksum.writeUInt32LE(hash.low32());
    yield checksum;
  } finally {
    await thread.close();
    await source.return?.();
  }
}

/** A whole frame (RFC 8878, 3.1.1) that has none, with a content checksum. */
export function withChecksum(frame: Uint8Array, content: Uint8Array): Uint8Array {
  const hash = createXxh64();
  hash.update(content);
  const whole = Buffer.alloc(frame.length + 4);
  whole.set(frame);
  whole.writeUInt8(whole.readUInt8(DESCRIPTOR_OFFSET) | CHECKSUM_FLAG, DESCRIPTOR_OFFSET);
  whole.writeUInt32LE(hash.low32(), frame.length);
  return whole;
}

/** How much of a frame goes to the thread at once. */
const BATCH_BLOCKS = 32;

/**
 * Unpacks exactly one zstd frame, by libzstd as WebAssembly: fed block by block, so that what comes out is bounded and
 * every block is seen to have come out (the library keeps libzstd's errors to itself). The sizes and the checksum that
 * the frame states are checked here.
 */
export async function* unzstd(chunks: Chunks): AsyncGenerator<Uint8Array, void, undefined> {
  const batches = batchParts(frameParts(chunks));
  const frame = createFrameCheck();
  let thread: ZstdThread | undefined;
  try {
    let batch = await batches.next();
    let following = await batches.next();
    if (!batch.done && following.done) {
      const { Zstd } = await import('@hpcc-js/wasm-zstd');
      const zstd = await Zstd.load();
      // All in one go on this thread: the library's one instance is free as long as nothing is awaited in between.
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

/** The checksum is compared here and is not shown to the library, which would tell nobody what it found. */
function callFor(batch: readonly FramePart[]): ZstdCall {
  const pieces = batch.flatMap((part) => (part.kind === 'checksum' ? [] : [part.bytes]));
  return { call: 'decompress', pieces, most: MAX_BLOCK_SIZE };
}

/** Follows a frame's parts and what they unpacked to; passes on the content, or fails where the two do not fit. */
function createFrameCheck() {
  const hash = createXxh64();
  let size = 0;
  let statedSize: number | undefined;
  let statedHash: number | undefined;
  return {
    *check(batch: readonly FramePart[], output: readonly Uint8Array[]): Generator<Uint8Array, void, undefined> {
      for (const [index, part] of batch.entries()) {
        const bytes = output[index];
        if (part.kind === 'header') {
          statedSize = part.contentSize;
        } else if (part.kind === 'checksum') {
          statedHash = part.value;
        } else {
          // No encoder spends a compressed block on nothing; the library gives nothing when libzstd found an error.
          if (
            bytes === undefined ||
            (part.unpackedSize === undefined ? bytes.length === 0 : bytes.length !== part.unpackedSize)
          ) {
            throw damaged('a block does not unpack');
          }
          size += bytes.length;
          hash.update(bytes);
          yield bytes;
        }
      }
    },
    end() {
      if (statedSize !== undefined && statedSize !== size) {
        throw damaged(`it states ${statedSize} bytes of content and has ${size}`);
      }
      if (statedHash !== undefined && statedHash !== hash.low32()) {
        throw damaged('its checksum does not match');
      }
    },
  };
}

function damaged(why: string): KubeparcelError {
  return new KubeparcelError('format', `damaged zstd frame (${why})`);
}
