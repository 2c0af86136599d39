import type { BlockStore } from '../compress/block-store.ts';
import type { Codec, Compression } from '../model/compression.ts';
import type { ObjectReader } from '../model/content.ts';
import type { Layout } from '../model/layout.ts';
import type { OutputChunk } from '../support/output-chunks.ts';

export interface WriteOptions {
  readonly compression: Compression;
  readonly objects: ObjectReader;
  /** An existing directory for the temporary file with the compressed payload. */
  readonly spoolDirectory: string;
  readonly signal?: AbortSignal | undefined;
  /** Called with the number of uncompressed payload bytes read since the last call. */
  readonly onBytes?: ((bytes: number) => void) | undefined;
}

export interface SpliceOptions extends Omit<WriteOptions, 'spoolDirectory'> {
  /** Compressed blocks of large contents, and their digests. */
  readonly blocks: BlockStore;
}

/** The parts of a package's file name. */
export type PackageIdentity = Pick<Layout, 'name' | 'version' | 'architecture'>;

/** Writes packages of one format. */
export interface Packager {
  fileName(identity: PackageIdentity): string;
  /**
   * Streams the package. Stored contents are verified while they are read.
   *
   * @throws KubeparcelError of kind 'verification' for content that does not match its digest or size
   */
  write(layout: Layout, options: WriteOptions): AsyncIterable<Uint8Array>;
  /**
   * Builds the same package from cached blocks, so that a file in several packages is compressed only once. A zstd payload
   * then has no checksum. Returns undefined if the payload is not compressed or too large for blocks: use `write`.
   */
  splice(layout: Layout, options: SpliceOptions): Promise<readonly OutputChunk[] | undefined>;
}

/** A package read from a file. All contents are of kind `stored`; their bytes are not kept. */
export interface ReadPackage {
  readonly layout: Layout;
  /** Codec of the payload (data.tar, cpio). */
  readonly codec: Codec;
  /** The metadata in file order: control fields, or RPM tags by name. */
  readonly metadata: readonly (readonly [name: string, value: string])[];
  /** The verified digests in the package; `of` is the part that a digest covers. */
  readonly digests: readonly { readonly of: string; readonly algorithm: string; readonly value: string }[];
}

export interface ReadOptions {
  /** Reject packages whose unpacked payload has more bytes. Default 16 GiB. */
  readonly maxUnpackedBytes?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}
