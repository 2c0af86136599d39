/** The first `size` bytes of a file, which must not change. */
export interface FileChunk {
  readonly path: string;
  /** Bytes. */
  readonly size: number;
}

/** Bytes in memory or in a file. */
export type OutputChunk = Uint8Array | FileChunk;

/** The total size in bytes. */
export function totalSize(chunks: readonly OutputChunk[]): number {
  return chunks.reduce((sum, chunk) => sum + (chunk instanceof Uint8Array ? chunk.length : chunk.size), 0);
}
