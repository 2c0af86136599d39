import type { RandomAccess } from './random-access.ts';
/** `sha256`: 64 lower-case hex digits; `size`: bytes. */
export interface StoredObject {
  readonly sha256: string;
  readonly size: number;
}

/** Bytes on the store's disk that are no object yet, so that they can be looked at first. */
export interface StagedObject extends StoredObject {
  readonly bytes: RandomAccess;
  /** Makes an object of it: on disk as a whole, then visible. */
  commit(): Promise<void>;
  discard(): Promise<void>;
}
