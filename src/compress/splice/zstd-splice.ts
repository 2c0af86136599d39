import type { FileChunk } from '../../support/output-chunks.ts';
import { windowSize } from '../codecs/zstd-frame.ts';
import { findEqualRun, findLastEqualRun } from './equal-run.ts';
import { frameStart, LAST_BLOCK, RESET, RESET_BEFORE, RESET_OUTPUT, rawBlocks } from './zstd-blocks.ts';
import type { ZstdRun } from './zstd-run.ts';

/** Blocks of a big file, compressed apart. */
export interface ZstdBlocks extends FileChunk {
  /** Of the frame that they were made in (RFC 8878, 3.1.1.1.2). */
  readonly windowDescriptor: number;
  /** Differs where the bytes differ. */
  readonly key: string;
}

/** What an archive is put together from, in order. */
export type SpliceInput = Uint8Array | ZstdBlocks;

const RUN = RESET_BEFORE + RESET_OUTPUT;
/** Fewer bytes are not worth a compressor's tables. */
const WORTH_COMPRESSING = 1 << 10;

/**
 * Puts one zstd frame together: bytes are compressed here, packed blocks are taken as they are. Before each packed piece
 * the bytes must hold a run of 32 equal ones, as headers of tar and newc do.
 *
 * @param compressRun compresses bytes as a frame of their own
 * @returns the frame's parts in order; its size is the sum of theirs
 */
export async function spliceFrame(
  pieces: readonly SpliceInput[],
  compressRun: (bytes: Uint8Array) => Promise<ZstdRun>,
): Promise<SpliceInput[]> {
  const parts: SpliceInput[] = [];
  let window = 0;
  const widen = (descriptor: number) => {
    if (window === 0 || windowSize(descriptor) > windowSize(window)) window = descriptor;
  };
  const compressed = async (bytes: Uint8Array) => {
    const run = await compressRun(bytes);
    widen(run.window);
    parts.push(...run.blocks);
  };
  // As at the start of a frame: no block has moved the repeat offsets.
  let fresh = true;
  const plain = async (bytes: Uint8Array) => {
    if (bytes.length < WORTH_COMPRESSING) {
      parts.push(...rawBlocks(bytes));
      return;
    }
    if (fresh) {
      await compressed(bytes);
    } else {
      const run = findEqualRun(bytes, RUN);
      const start = run === -1 ? bytes.length : run + RUN;
      parts.push(...rawBlocks(bytes.subarray(0, run === -1 ? bytes.length : run + RESET_BEFORE)));
      if (run !== -1) {
        parts.push(RESET);
        if (start < bytes.length) await compressed(bytes.subarray(start));
      }
    }
    fresh = false;
  };

  let pending: Uint8Array[] = [];
  for (const piece of pieces) {
    if (piece instanceof Uint8Array) {
      pending.push(piece);
      continue;
    }
    const bytes = Buffer.concat(pending);
    pending = [];
    const run = findLastEqualRun(bytes, RUN);
    if (run === -1) throw new Error('no run of equal bytes stands before a packed file');
    await plain(bytes.subarray(0, run + RESET_BEFORE));
    parts.push(RESET, ...rawBlocks(bytes.subarray(run + RUN)), piece);
    widen(piece.windowDescriptor);
    fresh = false;
  }
  await plain(Buffer.concat(pending));
  // A window of 1 KiB is the smallest; raw blocks may not be larger than it.
  return [frameStart(window === 0 ? WINDOW_OF_A_BLOCK : window), ...parts, LAST_BLOCK];
}

/** 128 KiB: the largest block. */
const WINDOW_OF_A_BLOCK = 7 << 3;
