/** Compressed streams as packages use them. */
export const CODECS = ['none', 'gzip', 'xz', 'zstd'] as const;
export type Codec = (typeof CODECS)[number];

/** `level`: gzip 1-9, xz 0-9, zstd 1-19; 0 for none. */
export interface Compression {
  readonly codec: Codec;
  readonly level: number;
}
