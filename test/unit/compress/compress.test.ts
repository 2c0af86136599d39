import { randomBytes } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { collect } from '../../../src/archive/chunks.ts';
import { gzipSmall } from '../../../src/compress/codecs/gzip.ts';
import { compress, decompress } from '../../../src/compress/compress.ts';
import { CODECS, type Codec, detectCodec, parseCompression } from '../../../src/model/compression.ts';
import { KubeparcelError } from '../../../src/support/errors.ts';

const COMPRESSING = ['gzip', 'xz', 'zstd'] as const;

async function all(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  return Buffer.from(await collect(chunks, 1 << 30, () => new Error('unexpectedly large output')));
}

/** A source that records how much was read and whether it was closed. */
function source(bytes: Uint8Array, size: number) {
  const seen = { given: 0, ended: false };
  async function* chunks() {
    try {
      for (let offset = 0; offset < bytes.length; offset += size) {
        seen.given += Math.min(size, bytes.length - offset);
        yield bytes.subarray(offset, offset + size);
      }
    } finally {
      seen.ended = true;
    }
  }
  return { chunks: chunks(), seen };
}

/** Moderately compressible bytes. */
function sample(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let index = 0, state = 1; index < length; index++) {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    bytes[index] = (index >> 7) % 3 === 0 ? state >> 16 : index >> 4;
  }
  return bytes;
}

async function failure(work: Promise<unknown>): Promise<KubeparcelError> {
  const error = await work.then(
    () => new Error('no failure'),
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(KubeparcelError);
  return error as KubeparcelError;
}

describe('parseCompression', () => {
  test.each([
    ['gzip', { codec: 'gzip', level: 9 }],
    ['gzip:1', { codec: 'gzip', level: 1 }],
    ['xz', { codec: 'xz', level: 6 }],
    ['xz:0', { codec: 'xz', level: 0 }],
    ['zstd', { codec: 'zstd', level: 12 }],
    ['zstd:19', { codec: 'zstd', level: 19 }],
    ['none', { codec: 'none', level: 0 }],
  ])('%s', (text, compression) => {
    expect(parseCompression(text)).toEqual(compression);
  });

  test.each([
    '',
    'bzip2',
    'zstd:',
    'zstd:0',
    'zstd:20',
    'zstd:9:9',
    'xz:10',
    'xz:-1',
    'xz:1e0',
    'none:0',
    'ZSTD',
    'constructor',
  ])('rejects %j and lists the valid values', (text) => {
    const read = () => parseCompression(text);
    expect(read).toThrow(KubeparcelError);
    try {
      read();
    } catch (error) {
      expect((error as KubeparcelError).hint).toBe('use one of none, gzip[:1-9], xz[:0-9], zstd[:1-19]');
    }
  });
});

describe('detectCodec', () => {
  test('detects each codec by its first bytes', async () => {
    for (const codec of COMPRESSING) {
      const packed = await all(compress([Buffer.from('x')], parseCompression(codec)));
      expect(detectCodec(packed.subarray(0, 6))).toBe(codec);
    }
    expect(detectCodec(Buffer.from('070701'))).toBe('none');
    expect(detectCodec(Buffer.alloc(0))).toBe('none');
  });

  test.each([
    ['bzip2', Buffer.from('BZh91A')],
    ['lzma', Buffer.from([0x5d, 0, 0, 0x80, 0, 0xff])],
  ])('rejects %s by name', (name, magic) => {
    expect(() => detectCodec(magic)).toThrow(name);
  });
});

describe.each(CODECS)('%s', (codec) => {
  test.each([0, 1, 100_000, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 6_000_000])('restores %i bytes', async (length) => {
    const bytes = sample(length);
    const packed = await all(
      compress(source(bytes, 70_001).chunks, { ...parseCompression(codec), level: lowest(codec) }),
    );
    const unpacked = await all(decompress(source(packed, 50_003).chunks, codec));
    expect(unpacked.equals(bytes)).toBe(true);
    expect(packed.length <= bytes.length + 100).toBe(true);
  });

  test('restores incompressible bytes', async () => {
    const bytes = randomBytes(2_500_000);
    const packed = await all(compress([bytes], parseCompression(codec)));
    expect((await all(decompress([packed], codec))).equals(bytes)).toBe(true);
  });

  test('the output does not depend on the chunks of the input', async () => {
    const bytes = sample(2_300_000);
    const packed: Buffer[] = [];
    for (const size of [1000, 65_536, 1 << 20, 5_000_000]) {
      packed.push(await all(compress(source(bytes, size).chunks, { codec, level: lowest(codec) })));
    }
    expect(packed.every((other) => packed[0]?.equals(other))).toBe(true);
  });

  test('stops at the size limit', async () => {
    const packed = await all(compress([Buffer.alloc(3_000_000)], parseCompression(codec)));
    expect(await failure(all(decompress([packed], codec, { maxBytes: 2_999_999 })))).toMatchObject({ kind: 'format' });
    expect(await all(decompress([packed], codec, { maxBytes: 3_000_000 }))).toHaveLength(3_000_000);
  });

  test('closes the source if the caller stops early', async () => {
    const bytes = randomBytes(8_000_000);
    const input = source(bytes, 100_000);
    for await (const _ of compress(input.chunks, { codec, level: lowest(codec) })) {
      break;
    }
    await new Promise((resolve) => setImmediate(resolve));
    expect(input.seen.ended).toBe(true);
    expect(input.seen.given).toBeLessThan(bytes.length);
  });

  test('passes on errors of the source', async () => {
    async function* broken() {
      yield Buffer.alloc(3_000_000);
      throw new Error('the disk is gone');
    }
    await expect(all(compress(broken(), { codec, level: lowest(codec) }))).rejects.toThrow('the disk is gone');
    await expect(all(decompress(broken(), 'none'))).rejects.toThrow('the disk is gone');
  });

  test('an abort stops it', async () => {
    const controller = new AbortController();
    const input = source(sample(20_000_000), 1 << 20);
    const work = all(
      (async function* () {
        for await (const chunk of compress(input.chunks, { codec, level: lowest(codec) }, controller.signal)) {
          controller.abort(new Error('enough'));
          yield chunk;
        }
      })(),
    );
    await expect(work).rejects.toThrow('enough');
    expect(input.seen.ended).toBe(true);
  });
});

// xz(1), "Presets"; in the properties of the LZMA2 filter (The .xz File Format 1.2.0, 5.3.1).
test.each([18, 20, 21, 22, 22, 23, 23, 24, 25, 26])('xz has the dictionary of its preset: 2^%i', async (bits) => {
  const level = [18, 20, 21, 22, 22, 23, 23, 24, 25, 26].indexOf(bits);
  const packed = await all(compress([Buffer.from('text')], { codec: 'xz', level }));
  expect(packed.subarray(14, 17)).toEqual(Buffer.from([0x21, 1, 2 * (bits - 12)]));
});

describe('the zstd thread', () => {
  const threads = () => {
    const report: unknown = process.report?.getReport();
    const parsed = (typeof report === 'string' ? JSON.parse(report) : report) as { workers: unknown[] };
    return parsed.workers.length;
  };
  const fast = { codec: 'zstd', level: 1 } as const;

  test('ends after success, after an early stop, and after an error', async () => {
    const before = threads();
    const bytes = randomBytes(6_000_000);
    const packed = await all(compress([bytes], fast));
    expect(threads()).toBe(before);
    for (const early of [compress([bytes], fast), decompress([packed], 'zstd')]) {
      for await (const _ of early) {
        expect(threads()).toBe(before + 1);
        break;
      }
      expect(threads()).toBe(before);
    }
    await failure(all(decompress([packed.subarray(0, -1)], 'zstd')));
    expect(threads()).toBe(before);
  });

  test('several can run at the same time', async () => {
    const inputs = [1, 2, 3].map((step) => sample(5_000_000 - step));
    const packed = await Promise.all(inputs.map((bytes) => all(compress([bytes], fast))));
    const unpacked = await Promise.all(packed.map((bytes) => all(decompress([bytes], 'zstd'))));
    expect(unpacked.every((bytes, index) => inputs[index]?.equals(bytes))).toBe(true);
  });
});

test.each([
  ['a window of 256 MiB', [0x00, 0x90]],
  ['a dictionary', [0x01, 0x58, 0x07]],
  ['a reserved bit', [0x08, 0x58]],
  ['a content of 4 GiB in one segment', [0xa0, 0xff, 0xff, 0xff, 0xff]],
])('a zstd frame with %s is rejected', async (_, header) => {
  const emptyLastBlock = [1, 0, 0];
  const frame = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, ...header, ...emptyLastBlock]);
  await failure(all(decompress([frame], 'zstd')));
  const plain = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58, ...emptyLastBlock]);
  expect(await all(decompress([plain], 'zstd'))).toHaveLength(0);
});

describe.each(COMPRESSING)('damaged %s', (codec) => {
  test('every flipped byte is an error or does not change the content', async () => {
    const bytes = sample(700);
    const packed = await all(compress([bytes], parseCompression(codec)));
    const undetected = new Set<number>();
    for (let index = 0; index < packed.length; index++) {
      for (const mask of [0x01, 0x80, 0xff]) {
        const broken = Buffer.from(packed);
        broken[index] = (broken[index] ?? 0) ^ mask;
        const result = await all(decompress([broken], codec, { maxBytes: 1 << 20 })).catch((error: unknown) => error);
        if (result instanceof Buffer) {
          expect(result.equals(bytes), `byte ${index}`).toBe(true);
          undetected.add(index);
        } else {
          expect(result).toBeInstanceOf(KubeparcelError);
        }
      }
    }
    // Not detected: text flag, time, extra flags and system of gzip (RFC 1952, 2.3), the bits after a deflate block, the size
    // of a zstd window, and matches at another position with the same bytes.
    expect(undetected.size).toBeLessThan(packed.length / 20);
  });

  test('every truncation is an error', async () => {
    const packed = await all(compress([sample(300)], parseCompression(codec)));
    for (let length = 0; length < packed.length; length++) {
      await failure(all(decompress([packed.subarray(0, length)], codec)));
    }
  });

  test('trailing bytes are an error, whatever the chunks', async () => {
    const packed = await all(compress([sample(300)], parseCompression(codec)));
    for (const trailing of [Buffer.from('trailing'), Buffer.alloc(8), packed.subarray(0, 3)]) {
      const whole = Buffer.concat([packed, trailing]);
      for (const size of [1, packed.length - 1, packed.length, whole.length]) {
        await failure(all(decompress(source(whole, size).chunks, codec)));
      }
    }
  });
});

test('a zstd frame without a checksum fails if a block cannot be decompressed', async () => {
  const packed = await all(compress([sample(700)], parseCompression('zstd')));
  const bare = packed.subarray(0, -4);
  bare[4] = (bare[4] ?? 0) & ~0x04;
  expect((await all(decompress([bare], 'zstd'))).equals(sample(700))).toBe(true);
  let refused = 0;
  for (let index = 9; index < bare.length; index++) {
    const broken = Buffer.from(bare);
    broken[index] = (broken[index] ?? 0) ^ 0xff;
    const result = await all(decompress([broken], 'zstd', { maxBytes: 1 << 20 })).catch((error: unknown) => error);
    if (result instanceof Buffer) {
      expect(result.length).toBeGreaterThan(0);
    } else {
      expect(result).toBeInstanceOf(KubeparcelError);
      refused += 1;
    }
  }
  expect(refused).toBeGreaterThan(0);
});

test('a gzip header does not depend on the machine', async () => {
  const packed = await all(compress([sample(700)], parseCompression('gzip')));
  expect([...packed.subarray(0, 10)]).toEqual([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 3]);
});

test('several gzip members are one stream', async () => {
  const packed = Buffer.concat([gzipSync('one '), gzipSync('two')]);
  expect(String(await all(decompress([packed], 'gzip')))).toBe('one two');
});

test('gzipSmall writes the header of gzip -9n', () => {
  const packed = gzipSmall(sample(5000));
  expect([...packed.subarray(0, 10)]).toEqual([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 3]);
  expect(gunzipSync(packed).equals(sample(5000))).toBe(true);
});

test('gzip and xz restore random bytes in random chunks', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.uint8Array({ maxLength: 2000 }), { maxLength: 6 }),
      fc.constantFrom('gzip', 'xz'),
      async (chunks, codec) => {
        const packed = compress(chunks, parseCompression(codec));
        expect((await all(decompress(packed, codec))).equals(Buffer.concat(chunks))).toBe(true);
      },
    ),
    { numRuns: 50 },
  );
});

function lowest(codec: Codec): number {
  return codec === 'none' ? 0 : 1;
}
