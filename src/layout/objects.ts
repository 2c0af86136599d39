/** Where stored contents come from: the payload's content store, or the bytes kept by a test. */
export interface ObjectReader {
  /** Streams the object's bytes, in chunks of any size; a missing object is a KubeparcelError of kind 'io'. */
  open(sha256: string): AsyncIterable<Uint8Array>;
  /** Called when the bytes were not the object's: it must not be believed any more. */
  discard?(sha256: string): Promise<void>;
}
