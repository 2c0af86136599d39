import type { Chunks } from '../../archive/chunks.ts';
import { type FramePart, frameParts, windowDescriptorFor } from '../codecs/zstd-frame.ts';
import type { ZstdThread } from '../codecs/zstd-library.ts';

/** The blocks of a frame of its own, none of them marked as the last one (RFC 8878, 3.1.1.2). */
export interface ZstdRun {
  /** The frame's window descriptor (3.1.1.1.2). */
  readonly window: number;
  readonly blocks: readonly Uint8Array[];
}

/**
 * Compresses a run of bytes as a frame of its own. Chunks are handed over.
 *
 * @param take gets the blocks as they come
 * @returns the frame's window descriptor
 */
export async function compressRun(
  thread: ZstdThread,
  chunks: Chunks,
  level: number,
  take: (block: Uint8Array) => void | Promise<void>,
): Promise<number> {
  await thread.run({ call: 'begin', level });
  return takeRun(frameParts(outputOf(thread, chunks)), take);
}

/** A frame (RFC 8878, 3.1.1) of bytes that are in memory, without a checksum; with none of the memory of a stream. */
export async function compressFrame(thread: ZstdThread, bytes: Uint8Array, level: number): Promise<Uint8Array> {
  const [frame] = await thread.run({ call: 'frame', bytes, level });
  if (frame === undefined) throw new Error('libzstd gave no frame');
  return frame;
}

async function* outputOf(thread: ZstdThread, chunks: Chunks): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of chunks) {
    yield* await thread.run({ call: 'compress', chunk });
  }
  yield* await thread.run({ call: 'finish' });
}

/** The blocks of a frame (RFC 8878, 3.1.1). */
export async function runOf(parts: AsyncIterable<FramePart>): Promise<ZstdRun> {
  const blocks: Uint8Array[] = [];
  const window = await takeRun(parts, (block) => void blocks.push(block));
  return { window, blocks };
}

async function takeRun(
  parts: AsyncIterable<FramePart>,
  take: (block: Uint8Array) => void | Promise<void>,
): Promise<number> {
  let window = 0;
  for await (const part of parts) {
    if (part.kind === 'header') {
      // A frame of a single segment has its content for a window.
      window = part.windowDescriptor ?? windowDescriptorFor(part.contentSize ?? 0);
    } else if (part.kind === 'block') {
      // libzstd ends a frame whose last input was whole blocks with an empty raw one.
      if (part.unpackedSize === 0) continue;
      part.bytes[0] = (part.bytes[0] ?? 0) & 0xfe;
      await take(part.bytes);
    }
  }
  return window;
}
