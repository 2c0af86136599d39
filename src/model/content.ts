import { createHash } from 'node:crypto';
/** Where stored contents come from: the payload's content store, or the bytes kept by a test. */
export interface ObjectReader {
  /** Streams the object's bytes, in chunks of any size; a missing object is a KubeparcelError of kind 'io'. */
  open(sha256: string): AsyncIterable<Uint8Array>;
  /** Called when the bytes were not the object's: it must not be believed any more. */
  discard?(sha256: string): Promise<void>;
}

/** Content of a file by reference: small bytes are values, big bytes are objects of a content store. */
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
  return content.kind === 'stored' ? content.sha256 : createHash('sha256').update(content.bytes).digest('hex');
}
