import type { BlockStore } from '../compress/block-store.ts';
import type { Codec, Compression } from '../model/compression.ts';
import type { ObjectReader } from '../model/content.ts';
import type { Layout } from '../model/layout.ts';
import type { OutputChunk } from '../support/output-chunks.ts';

export interface WriteOptions {
  readonly compression: Compression;
  readonly objects: ObjectReader;
  /** Where the compressed payload waits until its size and digests are known; an existing directory. */
  readonly spoolDirectory: string;
  readonly signal?: AbortSignal | undefined;
  /** Called with the count of payload bytes (uncompressed) taken in since the last call. */
  readonly onBytes?: (bytes: number) => void;
}

export interface SpliceOptions extends Omit<WriteOptions, 'spoolDirectory'> {
  /** Where compressed blocks of big contents are kept, and other facts that take reading them. */
  readonly blocks: BlockStore;
}

/** What a package's file name is made of. */
export type PackageIdentity = Pick<Layout, 'name' | 'version' | 'architecture'>;

/** A package format: the conventional file name, and the package as a stream of chunks, or put together from parts. */
export interface Packager {
  fileName(identity: PackageIdentity): string;
  /**
   * Stored contents are hashed as they pass; one that differs from its digest or size ends the stream with a
   * KubeparcelError of kind 'verification'.
   */
  write(layout: Layout, options: WriteOptions): AsyncIterable<Uint8Array>;
  /**
   * The same package, its zstd or xz archive put together from blocks that are compressed once, whatever the number of
   * packages that they are in (a zstd one has no checksum then). Undefined where that cannot be: it must be written.
   */
  splice(layout: Layout, options: SpliceOptions): Promise<readonly OutputChunk[] | undefined>;
}

/** A package read back. Contents are always by reference (`stored`), since nobody keeps them. */
export interface ReadPackage {
  readonly layout: Layout;
  /** Codec of the payload (data.tar, cpio). */
  readonly codec: Codec;
  /** The metadata as the file states it, in its order: control fields, or RPM tags by name. */
  readonly metadata: readonly (readonly [name: string, value: string])[];
  /** Digests that the package states and that were checked against its bytes, by what they cover. */
  readonly digests: readonly { readonly of: string; readonly algorithm: string; readonly value: string }[];
}

export interface ReadOptions {
  /** Refuse a package whose unpacked payload is larger (bytes). Default 16 GiB. */
  readonly maxUnpackedBytes?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}
