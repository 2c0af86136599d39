/** The first bytes of a file that nobody changes. */
export interface FilePart {
  readonly path: string;
  /** Bytes. */
  readonly size: number;
}

/** Bytes, or where they are. */
export type Part = Uint8Array | FilePart;

export function partSize(part: Part): number {
  return part instanceof Uint8Array ? part.length : part.size;
}
