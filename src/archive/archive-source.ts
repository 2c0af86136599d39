import { createHash } from 'node:crypto';
import type { Codec } from '../model/compression.ts';
import { KubeparcelError } from '../support/errors.ts';
import type { Chunks } from './chunks.ts';

/** The content of a file in an archive, by reference. */
export interface SourceContent {
  /**
   * 64 hex digits that identify the bytes: the SHA-256 of a file's content, or the sourceKey of several files that are
   * compressed together. Empty if the content is written without a block store.
   */
  readonly key: string;
  /** Bytes. */
  readonly size: number;
  /** Compress without splitting into segments, because matches reach farther than one segment. */
  readonly whole?: boolean | undefined;
  /** May be called more than once. */
  open(): Chunks;
}

/** A part of an archive before compression: headers and padding as bytes, contents by reference. */
export type SourcePart = Uint8Array | SourceContent;

/** Reads the content of a file. @throws KubeparcelError of kind 'verification' if it does not have `size` bytes */
export async function* checkedContent(
  { size, content }: { readonly size: number; readonly content: Chunks },
  path: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  let left = size;
  for await (const chunk of content) {
    left -= chunk.length;
    if (left < 0) break;
    yield chunk;
  }
  if (left === 0) return;
  throw new KubeparcelError(
    'verification',
    `a file is ${left < 0 ? 'longer' : 'shorter'} than expected (${size} bytes)`,
    {
      where: path,
      hint: 'run the command again; it fetches damaged objects of the store again',
    },
  );
}

/** Reads all bytes of an archive. */
export async function* readSource(parts: Iterable<SourcePart>): AsyncGenerator<Uint8Array, void, undefined> {
  for (const part of parts) {
    if (part instanceof Uint8Array) yield part;
    else yield* part.open();
  }
}

/** @returns 64 hex digits that identify the bytes of all parts */
export function sourceKey(parts: Iterable<Uint8Array | Pick<SourceContent, 'key' | 'size'>>): string {
  // These words determine file names in the cache: changing them invalidates it.
  const hash = createHash('sha256').update('pieces\n');
  for (const part of parts) {
    if (part instanceof Uint8Array) hash.update(`bytes ${part.length}\n`).update(part);
    else hash.update(`content ${part.size} ${part.key}\n`);
  }
  return hash.digest('hex');
}

/** Bytes. Smaller contents are read into memory and compressed together with the headers. */
export const MIN_CACHED_SIZE = 512 << 10;
/**
 * An archive with more large files compresses them together: the CNI plugins share most of their code (15.9 MB together,
 * 27.4 MB separately, zstd level 9). Other packages contain only one large binary each.
 */
export const MAX_INDEPENDENT_FILES = 4;

/**
 * Prepares an archive for compression: reads small contents, and merges more than MAX_INDEPENDENT_FILES large ones, with
 * the headers between them, into one content.
 */
export async function groupContents(parts: Iterable<SourcePart>, codec: Codec): Promise<SourcePart[]> {
  const read: SourcePart[] = [];
  for (const part of parts) {
    if (part instanceof Uint8Array || part.size >= MIN_CACHED_SIZE) {
      read.push(part);
    } else {
      for await (const chunk of part.open()) read.push(chunk);
    }
  }
  // gzip refers back at most 32 KiB, so merging large files does not help.
  if (codec === 'gzip') return mergeBytes(read);
  const isContent = (part: SourcePart) => !(part instanceof Uint8Array);
  if (read.filter(isContent).length <= MAX_INDEPENDENT_FILES) return read;
  const first = read.findIndex(isContent);
  const last = read.findLastIndex(isContent);
  const together = read.slice(first, last + 1);
  const size = together.reduce((sum, part) => sum + (part instanceof Uint8Array ? part.length : part.size), 0);
  const merged = { key: sourceKey(together), size, whole: true, open: () => readSource(together) };
  return [...read.slice(0, first), merged, ...read.slice(last + 1)];
}

/** Concatenates adjacent byte arrays; everything else stays in place. */
export function mergeBytes<T>(parts: readonly (Uint8Array | T)[]): (Uint8Array | T)[] {
  const merged: (Uint8Array | T)[] = [];
  let pending: Uint8Array[] = [];
  const flush = () => {
    if (pending.length > 0) merged.push(Buffer.concat(pending));
    pending = [];
  };
  for (const part of parts) {
    if (part instanceof Uint8Array) {
      pending.push(part);
    } else {
      flush();
      merged.push(part);
    }
  }
  flush();
  return merged;
}
