import { type ContentPiece, gatherBig, type Piece } from './pieces.ts';
import type { CompressedRun } from './zstd-pool.ts';
import { type PackedBlocks, spliceFrame } from './zstd-splice.ts';

/** Compressed blocks of big contents, by what they were made of; found, or made and kept. */
export interface PackedStore {
  /** The content's blocks. Reads the content only when they are not there. */
  blocks(content: ContentPiece, level: number): Promise<PackedBlocks>;
  /** Compresses bytes that nobody keeps, as a frame of their own. */
  compressRun(bytes: Uint8Array, level: number): Promise<CompressedRun>;
  /**
   * A fact that follows from bytes and takes reading them: kept by `kind` and key.
   *
   * @param find how it is found; one line
   */
  fact(kind: string, key: string, find: () => Promise<string>): Promise<string>;
}

/** A compressed archive whose size is known before its bytes are read. */
export interface PackedArchive {
  /** Bytes. */
  readonly size: number;
  /** May be read more than once. */
  chunks(): AsyncGenerator<Uint8Array, void, undefined>;
}

/**
 * Compresses an archive as one zstd frame without a checksum, in which every big content is compressed once, whatever the
 * number of archives that it is in.
 *
 * @param options.onBytes called with counts of bytes of contents that are in the archive by now
 */
export async function packArchive(
  pieces: Iterable<Piece>,
  level: number,
  store: PackedStore,
  options: { readonly onBytes?: ((count: number) => void) | undefined; readonly signal?: AbortSignal | undefined } = {},
): Promise<PackedArchive> {
  const { onBytes, signal } = options;
  const gathered = await gatherBig(pieces);
  // All at once: the store's threads are busy as long as there is something to do.
  const packed = await Promise.all(
    gathered.map((piece) => {
      if (piece instanceof Uint8Array) return piece;
      const watched = watch(piece, onBytes, signal);
      return store.blocks(watched.piece, level).finally(watched.finish);
    }),
  );
  const parts = await spliceFrame(packed, (bytes) => store.compressRun(bytes, level));
  return {
    size: parts.reduce((sum, part) => sum + (part instanceof Uint8Array ? part.length : part.size), 0),
    async *chunks() {
      for (const part of parts) {
        signal?.throwIfAborted();
        if (part instanceof Uint8Array) yield part;
        else yield* part.open();
      }
    },
  };
}

/** Counts a content's bytes as they are read, and at the end those that were never read since the blocks were there. */
function watch(piece: ContentPiece, onBytes: ((count: number) => void) | undefined, signal: AbortSignal | undefined) {
  let counted = 0;
  return {
    piece: {
      ...piece,
      async *open() {
        for await (const chunk of piece.open()) {
          signal?.throwIfAborted();
          counted += chunk.length;
          onBytes?.(chunk.length);
          yield chunk;
        }
      },
    },
    finish: () => {
      if (counted < piece.size) onBytes?.(piece.size - counted);
    },
  };
}
