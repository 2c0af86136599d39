import { createHash } from 'node:crypto';
import type { Codec } from '../model/compression.ts';
import type { Chunks } from './chunks.ts';

/** A file's content within an archive that is still to be read. */
export interface SourceContent {
  /**
   * 64 hex digits that stand for these bytes and no others: the content's SHA-256, or one over what it is made of. Empty
   * where nobody asks.
   */
  readonly key: string;
  /** Bytes. */
  readonly size: number;
  /** It repeats itself over more than a compressor's segment, and is not cut. */
  readonly whole?: boolean;
  /** May be called more than once. */
  open(): Chunks;
}

/** An archive in parts: what is small and known, and contents by reference. */
export type SourcePart = Uint8Array | SourceContent;

/** All bytes of the pieces. */
export async function* readSource(pieces: Iterable<SourcePart>): AsyncGenerator<Uint8Array, void, undefined> {
  for (const piece of pieces) {
    if (piece instanceof Uint8Array) yield piece;
    else yield* piece.open();
  }
}

/** 64 hex digits that are equal when the bytes of all pieces are. */
export function sourceKey(pieces: Iterable<Uint8Array | Pick<SourceContent, 'key' | 'size'>>): string {
  const hash = createHash('sha256').update('pieces\n');
  for (const piece of pieces) {
    if (piece instanceof Uint8Array) hash.update(`bytes ${piece.length}\n`).update(piece);
    else hash.update(`content ${piece.size} ${piece.key}\n`);
  }
  return hash.digest('hex');
}

/** Contents of as many bytes are worth a place in the store of compressed blocks. */
export const MIN_CACHED_SIZE = 512 << 10;
/**
 * More big files than these in one archive have much in common: Kubernetes' binaries come alone, its CNI plugins share
 * most of their code (15.9 MB as one stream against 27.4 MB file by file, at level 9).
 */
export const MAX_INDEPENDENT_FILES = 4;

/**
 * Big contents as they are to be compressed: each apart, or, where there are many, all with what stands between them as
 * one. Small contents are read.
 */
export async function groupContents(pieces: Iterable<SourcePart>, codec: Codec): Promise<SourcePart[]> {
  const read: SourcePart[] = [];
  for (const piece of pieces) {
    if (piece instanceof Uint8Array || piece.size >= MIN_CACHED_SIZE) {
      read.push(piece);
    } else {
      for await (const chunk of piece.open()) read.push(chunk);
    }
  }
  // gzip looks back 32 KiB, and has nothing of what is common.
  if (codec === 'gzip') return joined(read);
  const isBig = (piece: SourcePart) => !(piece instanceof Uint8Array);
  if (read.filter(isBig).length <= MAX_INDEPENDENT_FILES) return read;
  const first = read.findIndex(isBig);
  const last = read.findLastIndex(isBig);
  const together = read.slice(first, last + 1);
  const size = together.reduce((sum, piece) => sum + (piece instanceof Uint8Array ? piece.length : piece.size), 0);
  const one: SourceContent = { key: sourceKey(together), size, whole: true, open: () => readSource(together) };
  return [...read.slice(0, first), one, ...read.slice(last + 1)];
}

/** The same with one piece for small ones beside each other. */
function joined(pieces: readonly SourcePart[]): SourcePart[] {
  const fewer: SourcePart[] = [];
  let pending: Uint8Array[] = [];
  for (const piece of [...pieces, undefined]) {
    if (piece instanceof Uint8Array) {
      pending.push(piece);
      continue;
    }
    if (pending.length > 0) fewer.push(Buffer.concat(pending));
    pending = [];
    if (piece !== undefined) fewer.push(piece);
  }
  return fewer;
}
