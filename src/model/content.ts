import { sha256 } from './digest.ts';

/** Reads stored contents, for example from the content store of the payload. */
export interface ObjectReader {
  /** Streams the bytes of an object. @throws KubeparcelError of kind 'io' if the object is missing */
  open(sha256: string): AsyncIterable<Uint8Array>;
  /** Removes an object whose bytes do not match its digest. */
  discard?(sha256: string): Promise<void>;
}

/** Content of a file: bytes in memory, or an object of a content store. */
export type Content =
  | { readonly kind: 'memory'; readonly bytes: Uint8Array }
  /** `sha256`: 64 lower-case hex digits; `size`: bytes. */
  | { readonly kind: 'stored'; readonly sha256: string; readonly size: number };

/** Size in bytes of a file's content. */
export function contentSize(content: Content): number {
  return content.kind === 'memory' ? content.bytes.length : content.size;
}

/** SHA-256 of a file's content in hex. */
export function contentSha256(content: Content): string {
  return content.kind === 'stored' ? content.sha256 : sha256(content.bytes);
}
