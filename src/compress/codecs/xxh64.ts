import xxhash from 'xxhash-wasm';

/** XXH64 with seed 0, the checksum of a zstd frame's content (RFC 8878, 3.1.1). */
export interface Xxh64 {
  update(bytes: Uint8Array): void;
  /** The low 32 bits of the hash, unsigned. */
  low32(): number;
}

let library: ReturnType<typeof xxhash> | undefined;

export async function createXxh64(): Promise<Xxh64> {
  library ??= xxhash();
  const hash = (await library).create64();
  return {
    update: (bytes) => void hash.update(bytes),
    low32: () => Number(BigInt.asUintN(32, hash.digest())),
  };
}
