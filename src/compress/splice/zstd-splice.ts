import type { FileChunk } from '../../support/output-chunks.ts';
import { windowSize } from '../codecs/zstd-frame.ts';
import { findEqualRun, findLastEqualRun } from './equal-run.ts';
import { frameStart, LAST_BLOCK, RESET, RESET_BEFORE, RESET_OUTPUT, rawBlocks } from './zstd-blocks.ts';
import type { ZstdRun } from './zstd-run.ts';

/** Blocks of a zstd frame in a file. */
export interface ZstdBlocks extends FileChunk {
  /** Window descriptor of the frame that the blocks come from (RFC 8878, 3.1.1.1.2). */
  readonly windowDescriptor: number;
  /** Differs if the blocks differ. */
  readonly key: string;
}

/** Bytes to compress, or blocks. */
export type SpliceInput = Uint8Array | ZstdBlocks;

const RUN_LENGTH = RESET_BEFORE + RESET_OUTPUT;
/** Bytes; shorter inputs are not worth the tables of a compressed block. */
const MIN_COMPRESSED_SIZE = 1 << 10;

/**
 * Joins inputs into one zstd frame: compresses bytes, and copies blocks. The bytes before blocks must contain a run of 32
 * equal bytes, as headers of tar and newc do.
 *
 * @param compressRun compresses bytes as a separate frame
 * @returns the chunks of the frame
 */
export async function spliceFrame(
  inputs: readonly SpliceInput[],
  compressRun: (bytes: Uint8Array) => Promise<ZstdRun>,
): Promise<SpliceInput[]> {
  const chunks: SpliceInput[] = [];
  let window = 0;
  const widen = (descriptor: number) => {
    if (window === 0 || windowSize(descriptor) > windowSize(window)) window = descriptor;
  };
  const addCompressed = async (bytes: Uint8Array) => {
    const run = await compressRun(bytes);
    widen(run.window);
    chunks.push(...run.blocks);
  };
  // True while no block has changed the repeat offsets.
  let isStart = true;
  const addBytes = async (bytes: Uint8Array) => {
    if (bytes.length < MIN_COMPRESSED_SIZE) {
      chunks.push(...rawBlocks(bytes));
      return;
    }
    if (isStart) {
      await addCompressed(bytes);
    } else {
      const run = findEqualRun(bytes, RUN_LENGTH);
      const start = run === -1 ? bytes.length : run + RUN_LENGTH;
      chunks.push(...rawBlocks(bytes.subarray(0, run === -1 ? bytes.length : run + RESET_BEFORE)));
      if (run !== -1) {
        chunks.push(RESET);
        if (start < bytes.length) await addCompressed(bytes.subarray(start));
      }
    }
    isStart = false;
  };

  let pending: Uint8Array[] = [];
  for (const input of inputs) {
    if (input instanceof Uint8Array) {
      pending.push(input);
      continue;
    }
    const bytes = Buffer.concat(pending);
    pending = [];
    const run = findLastEqualRun(bytes, RUN_LENGTH);
    if (run === -1) throw new Error('no run of equal bytes before the blocks of a file');
    await addBytes(bytes.subarray(0, run + RESET_BEFORE));
    chunks.push(RESET, ...rawBlocks(bytes.subarray(run + RUN_LENGTH)), input);
    widen(input.windowDescriptor);
    isStart = false;
  }
  await addBytes(Buffer.concat(pending));
  // Without compressed blocks, the window only has to be as large as a raw block.
  return [frameStart(window === 0 ? MAX_BLOCK_WINDOW : window), ...chunks, LAST_BLOCK];
}

/** Window descriptor of 128 KiB, the maximum size of a block. */
const MAX_BLOCK_WINDOW = 7 << 3;
