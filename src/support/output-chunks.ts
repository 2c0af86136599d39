/** The first bytes of a file that nobody changes. */
export interface FileChunk {
  readonly path: string;
  /** Bytes. */
  readonly size: number;
}

/** Bytes, or where they are. */
export type OutputChunk = Uint8Array | FileChunk;

/** Bytes of all chunks. */
export function totalSize(chunks: readonly OutputChunk[]): number {
  return chunks.reduce((sum, part) => sum + (part instanceof Uint8Array ? part.length : part.size), 0);
}
