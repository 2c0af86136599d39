/** The first bytes of a file that nobody changes. */
export interface FilePart {
  readonly path: string;
  /** Bytes. */
  readonly size: number;
}

/** Bytes, or where they are. */
export type Part = Uint8Array | FilePart;

/** Bytes of all parts. */
export function totalSize(parts: readonly Part[]): number {
  return parts.reduce((sum, part) => sum + (part instanceof Uint8Array ? part.length : part.size), 0);
}
