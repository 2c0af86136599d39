import type { Chunks } from '../../archive/chunks.ts';
import { type FramePart, frameParts, windowDescriptorFor } from '../codecs/zstd-frame.ts';
import type { ZstdThread } from '../codecs/zstd-library.ts';

/** The blocks of one frame, with the Last_Block flag cleared (RFC 8878, 3.1.1.2). */
export interface ZstdRun {
  /** Window descriptor of the frame (3.1.1.1.2). */
  readonly window: number;
  readonly blocks: readonly Uint8Array[];
}

/**
 * Compresses bytes as a frame, and passes its blocks to `onBlock`. Transfers the chunks to the thread.
 *
 * @returns the window descriptor of the frame
 */
export async function compressRun(
  thread: ZstdThread,
  chunks: Chunks,
  level: number,
  onBlock: (block: Uint8Array) => void | Promise<void>,
): Promise<number> {
  await thread.run({ call: 'begin', level });
  return readRun(frameParts(outputOf(thread, chunks)), onBlock);
}

/** Compresses bytes into a whole frame (RFC 8878, 3.1.1) without checksum. Needs less memory than a stream. */
export async function compressFrame(thread: ZstdThread, bytes: Uint8Array, level: number): Promise<Uint8Array> {
  const [frame] = await thread.run({ call: 'frame', bytes, level });
  if (frame === undefined) throw new Error('libzstd returned no frame');
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
  const window = await readRun(parts, (block) => void blocks.push(block));
  return { window, blocks };
}

async function readRun(
  parts: AsyncIterable<FramePart>,
  onBlock: (block: Uint8Array) => void | Promise<void>,
): Promise<number> {
  let window = 0;
  for await (const part of parts) {
    if (part.kind === 'header') {
      // The window of a single segment frame is its content.
      window = part.windowDescriptor ?? windowDescriptorFor(part.contentSize ?? 0);
    } else if (part.kind === 'block') {
      // libzstd writes an empty raw block if the input ends at a block boundary.
      if (part.unpackedSize === 0) continue;
      part.bytes[0] = (part.bytes[0] ?? 0) & 0xfe;
      await onBlock(part.bytes);
    }
  }
  return window;
}
