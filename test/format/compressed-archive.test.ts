/** Compares archives that are joined from separately compressed blocks with zstd, xz, gzip and dpkg-deb. */
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { MIN_CACHED_SIZE, readSource, type SourcePart } from '../../src/archive/archive-source.ts';
import { collect } from '../../src/archive/chunks.ts';
import { cpioSource } from '../../src/archive/cpio.ts';
import { tarSource } from '../../src/archive/tar.ts';
import { type BlockCodec, BlockStore } from '../../src/compress/block-store.ts';
import { decompress } from '../../src/compress/compress.ts';
import { compressArchive } from '../../src/compress/compress-archive.ts';
import { CompressionThreads } from '../../src/compress/compression-threads.ts';
import { cutSegments } from '../../src/compress/splice/segments.ts';
import { RESET_BEFORE, RESET_OUTPUT } from '../../src/compress/splice/zstd-blocks.ts';
import { hasTool } from '../support/tools.ts';

const LEVEL = 3;
const work = mkdtempSync(join(tmpdir(), 'kubeparcel-packed-'));
const threads = new CompressionThreads();
const openStore = () => BlockStore.open(join(work, 'cache'), threads, 2);
let store: BlockStore;
beforeAll(async () => {
  store = await openStore();
});
afterAll(async () => {
  await threads.close();
  rmSync(work, { recursive: true, force: true });
});

/** Kinds of bytes that compressors treat differently. */
type Stuff = 'random' | 'zeros' | 'text' | 'code';
interface Shape {
  readonly stuff: Stuff;
  readonly size: number;
}

function bytesOf({ stuff, size }: Shape): Buffer {
  if (stuff === 'random') return randomBytes(size);
  if (stuff === 'zeros') return Buffer.alloc(size);
  if (stuff === 'text') return Buffer.alloc(size, 'A kubelet runs on every node of a cluster.\n');
  // Like an executable: repeated structures, padding with equal bytes, some noise.
  const bytes = Buffer.alloc(size);
  const noise = randomBytes(4096);
  for (let offset = 0; offset < size; offset += 512) {
    noise.copy(bytes, offset, offset % 3584, (offset % 3584) + 512 - (offset % 7 === 0 ? 48 : 0));
    if (offset + 4 <= size) bytes.writeUInt32LE(offset, offset);
  }
  return bytes;
}

function contentOf(bytes: Buffer) {
  const key = createHash('sha256').update(bytes).digest('hex');
  return { size: bytes.length, key, content: [bytes] };
}

const tarOf = (files: readonly Buffer[]): SourcePart[] => [
  ...tarSource(
    files.map((bytes, index) => ({
      path: `./usr/bin/file-${index}`,
      kind: 'file' as const,
      mode: 0o755,
      owner: 'root',
      group: 'root',
      mtime: 1_700_000_000,
      ...contentOf(bytes),
    })),
  ),
];
const cpioOf = (files: readonly Buffer[]): SourcePart[] => [
  ...cpioSource(
    files.map((bytes, index) => ({
      header: { name: `./usr/bin/file-${index}`, mode: 0o100755, mtime: 1_700_000_000, inode: index + 1 },
      index,
      ...contentOf(bytes),
    })),
    { stripped: false },
  ),
];

async function pack(pieces: readonly SourcePart[], codec: BlockCodec, from: BlockStore = store): Promise<Buffer> {
  const archive = await compressArchive(pieces, { codec, level: LEVEL, store: from });
  const bytes = archive.chunks.map((chunk) => {
    return chunk instanceof Uint8Array ? chunk : readFileSync(chunk.path).subarray(0, chunk.size);
  });
  const whole = Buffer.concat(bytes);
  expect(archive.size).toBe(whole.length);
  return whole;
}

async function plain(pieces: readonly SourcePart[]): Promise<Buffer> {
  return Buffer.from(await collect(readSource(pieces), 2 ** 31, () => new Error('too long')));
}

async function expectSame(pieces: readonly SourcePart[], codec: BlockCodec): Promise<void> {
  const packed = await pack(pieces, codec);
  const expected = await plain(pieces);
  const unpacked = execFileSync(codec, ['-dc'], { input: packed, maxBuffer: 2 ** 30 });
  expect(unpacked.equals(expected)).toBe(true);
  const own = await collect(decompress([packed], codec), 2 ** 31, () => new Error('too long'));
  expect(Buffer.from(own).equals(expected)).toBe(true);
}

const KIB = 1 << 10;
const sizes = fc.oneof(
  fc.constantFrom(
    0,
    1,
    511,
    512,
    513,
    MIN_CACHED_SIZE - 1,
    MIN_CACHED_SIZE,
    MIN_CACHED_SIZE + 1,
    8192 * KIB,
    8192 * KIB + 3,
  ),
  fc.integer({ min: 128 * KIB - 3, max: 128 * KIB + 3 }),
  fc.integer({ min: 8192 * KIB - 2, max: 8192 * KIB + 2 }),
  fc.integer({ min: 0, max: 3 * MIN_CACHED_SIZE }),
);
const shape: fc.Arbitrary<Shape> = fc.record({
  stuff: fc.constantFrom<Stuff>('random', 'zeros', 'text', 'code'),
  size: sizes,
});

describe.each(['zstd', 'xz', 'gzip'] as const)('a %s archive joined from blocks', (codec) => {
  const absent = !hasTool(codec) || !hasTool('dpkg-deb');

  test.skipIf(absent).each([
    ['no file', []],
    ['an empty file', [{ stuff: 'zeros', size: 0 }]],
    ['one large file', [{ stuff: 'code', size: 5 * MIN_CACHED_SIZE }]],
    [
      'two large files',
      [
        { stuff: 'code', size: 2 * MIN_CACHED_SIZE },
        { stuff: 'text', size: MIN_CACHED_SIZE },
      ],
    ],
    ['a large file of zeros', [{ stuff: 'zeros', size: 9 << 20 }]],
    ['a large incompressible file', [{ stuff: 'random', size: 3 << 20 }]],
    [
      'large, small, large',
      [
        { stuff: 'code', size: MIN_CACHED_SIZE },
        { stuff: 'random', size: 100 * KIB },
        { stuff: 'code', size: MIN_CACHED_SIZE + 1 },
      ],
    ],
    [
      'more large files than are compressed independently',
      Array.from({ length: 6 }, (): Shape => ({ stuff: 'code', size: MIN_CACHED_SIZE })),
    ],
    ['more than one segment', [{ stuff: 'code', size: 40 << 20 }]],
  ] satisfies [string, Shape[]][])('unpacks to the original: %s', async (_, shapes) => {
    const files = shapes.map(bytesOf);
    await expectSame(tarOf(files), codec);
    await expectSame(cpioOf(files), codec);
  });

  test.skipIf(absent)(
    'unpacks to the original: random files',
    async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(shape, { maxLength: 7 }), fc.boolean(), async (shapes, asTar) => {
          const files = shapes.map(bytesOf);
          await expectSame(asTar ? tarOf(files) : cpioOf(files), codec);
        }),
        // xz is slow.
        { numRuns: codec === 'xz' ? 5 : 15 },
      );
    },
    240_000,
  );

  test.skipIf(absent)('dpkg-deb unpacks a package with such a data.tar', async () => {
    const files = [bytesOf({ stuff: 'code', size: 20 << 20 }), bytesOf({ stuff: 'code', size: MIN_CACHED_SIZE })];
    const directory = mkdtempSync(join(work, 'deb-'));
    writeFileSync(join(directory, 'debian-binary'), '2.0\n');
    const control = 'Package: a\nVersion: 1\nArchitecture: all\nMaintainer: a <a@b>\nDescription: a\n';
    const controlTar = tarSource([
      {
        path: './control',
        kind: 'file',
        mode: 0o644,
        owner: 'root',
        group: 'root',
        mtime: 0,
        ...contentOf(Buffer.from(control)),
      },
    ]);
    writeFileSync(join(directory, 'control.tar'), await plain([...controlTar]));
    const data = `data.tar.${{ zstd: 'zst', xz: 'xz', gzip: 'gz' }[codec]}`;
    writeFileSync(join(directory, data), await pack(tarOf(files), codec));
    execFileSync('ar', ['rc', 'a.deb', 'debian-binary', 'control.tar', data], { cwd: directory });
    execFileSync('dpkg-deb', ['-x', 'a.deb', 'out'], { cwd: directory });
    for (const [index, bytes] of files.entries()) {
      expect(readFileSync(join(directory, 'out/usr/bin', `file-${index}`)).equals(bytes)).toBe(true);
    }
  });
});

describe('the key of an archive', () => {
  const files = [bytesOf({ stuff: 'code', size: MIN_CACHED_SIZE }), bytesOf({ stuff: 'text', size: 3000 })];
  const keyFrom = async (from: BlockStore, codec: BlockCodec) =>
    (await compressArchive(cpioOf(files), { codec, level: LEVEL, store: from })).key;

  test.each(['zstd', 'xz', 'gzip'] as const)('changes exactly when the compressed bytes change: %s', async (codec) => {
    const key = await keyFrom(store, codec);
    expect(await keyFrom(store, codec)).toBe(key);
    // Another version may compress the same contents differently. A cached digest of the archive must not apply then.
    const small = await openStore();
    vi.spyOn(small, 'zstdRun').mockImplementation((bytes, level) => store.zstdRun(bytes, level + 6));
    vi.spyOn(small, 'xzRun').mockImplementation((bytes, level) =>
      store.xzRun(Buffer.concat([bytes, Buffer.alloc(4)]), level),
    );
    // gzip does not use the store for small contents.
    if (codec !== 'gzip') expect(await keyFrom(small, codec)).not.toBe(key);
    const large = await openStore();
    vi.spyOn(large, 'zstdBlocks').mockImplementation((content, level) => store.zstdBlocks(content, level + 6));
    vi.spyOn(large, 'xzBlocks').mockImplementation((content, level) => store.xzBlocks(content, level + 6));
    vi.spyOn(large, 'deflateBlocks').mockImplementation((content, level) => store.deflateBlocks(content, level + 6));
    expect(await keyFrom(large, codec)).not.toBe(key);
  });
});

describe('segments', () => {
  const cut = async (bytes: Buffer, segmentSize: number, chunkSize: number) => {
    const segments: Promise<Buffer>[] = [];
    const chunks = (function* () {
      for (let at = 0; at < bytes.length; at += chunkSize) {
        yield Uint8Array.from(bytes.subarray(at, at + chunkSize));
      }
    })();
    const begin = async (segment: AsyncIterable<Uint8Array>) => {
      const done = collect(segment, 2 ** 31, () => new Error('too long')).then((all) => Buffer.from(all));
      segments.push(done);
      return { done };
    };
    await cutSegments(chunks, begin, segmentSize);
    return Promise.all(segments);
  };

  test('end in runs of equal bytes and cover the whole stream, whatever its chunks', async () => {
    const piece = fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 40 }),
      fc
        .record({ value: fc.nat(255), length: fc.integer({ min: 20, max: 80 }) })
        .map(({ value, length }) => Uint8Array.from({ length }, () => value)),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(piece, { maxLength: 30 }),
        fc.integer({ min: 1, max: 300 }),
        fc.integer({ min: 1, max: 100 }),
        async (pieces, segmentSize, chunkSize) => {
          const bytes = Buffer.concat(pieces);
          const segments = await cut(bytes, segmentSize, chunkSize);
          const whole: Buffer[] = [];
          for (const [index, segment] of segments.entries()) {
            if (index > 0) {
              const before = whole.at(-1)?.subarray(-RESET_BEFORE) ?? Buffer.alloc(0);
              expect(new Set(before).size).toBe(1);
              expect(before).toHaveLength(RESET_BEFORE);
              whole.push(Buffer.alloc(RESET_OUTPUT, before[0]));
            }
            whole.push(segment);
          }
          expect(Buffer.concat(whole).equals(bytes)).toBe(true);
        },
      ),
      { numRuns: 300 },
    );
  });

  test('the stream is not cut at a run at its end: a reset must be followed by another block', async () => {
    const bytes = Buffer.concat([Buffer.from('0123456789'), Buffer.alloc(RESET_BEFORE + RESET_OUTPUT)]);
    expect(await cut(bytes, 10, 1000)).toEqual([bytes]);
  });

  test('a failing stream fails its segments', async () => {
    const failing = (async function* () {
      yield new Uint8Array(100);
      throw new Error('gone');
    })();
    const segments: Promise<unknown>[] = [];
    const begin = async (segment: AsyncIterable<Uint8Array>) => {
      const done = collect(segment, 1000, () => new Error('too long')).catch((error: Error) => error.message);
      segments.push(done);
      return { done };
    };
    await expect(cutSegments(failing, begin, 1000)).rejects.toThrow('gone');
    expect(await Promise.all(segments)).toEqual(['gone']);
  });

  const failingReaders = [
    ['at once', async () => ({ done: Promise.reject(new Error('no thread')) })],
    [
      'on the way',
      async (segment: AsyncIterable<Uint8Array>) => {
        const read = async () => {
          for await (const _ of segment) throw new Error('out of memory');
        };
        return { done: read() };
      },
    ],
  ] as const;
  test.each(failingReaders)(
    'a reader that fails %s does not block the stream',
    { timeout: 10_000 },
    async (_, begin) => {
      const MEBIBYTES = 64;
      let read = 0;
      const long = async function* () {
        for (; read < MEBIBYTES; read += 1) yield new Uint8Array(1 << 20).fill(read + 1);
      };
      await cutSegments(long(), begin, 2 ** 30);
      expect(read).toBe(MEBIBYTES);
    },
  );
});

describe('the block store', () => {
  const bytes = bytesOf({ stuff: 'code', size: 2 * MIN_CACHED_SIZE });
  const files = () =>
    readdirSync(join(work, 'cache/packed'), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));

  test('reads a content once for all requests', async () => {
    let reads = 0;
    const { key, size } = contentOf(Buffer.concat([bytes, Buffer.from('once')]));
    const content = {
      key,
      size,
      open: () => {
        reads += 1;
        return [Buffer.concat([bytes, Buffer.from('once')])];
      },
    };
    const [a, b] = await Promise.all([store.zstdBlocks(content, LEVEL), store.zstdBlocks(content, LEVEL)]);
    const again = await openStore();
    const c = await again.zstdBlocks(content, LEVEL);
    expect([a.size, b.size, reads]).toEqual([c.size, c.size, 1]);
  });

  test('reports the same progress to every request for a content', async () => {
    const whole = bytesOf({ stuff: 'code', size: 4 * MIN_CACHED_SIZE });
    let resume = () => {};
    const resumed = new Promise<void>((resolve) => {
      resume = resolve;
    });
    const { key, size } = contentOf(whole);
    const content = {
      key,
      size,
      async *open() {
        yield whole.subarray(0, 3 * MIN_CACHED_SIZE);
        await resumed;
        yield whole.subarray(3 * MIN_CACHED_SIZE);
      },
    };
    const progress = { first: 0, second: 0 };
    let onPaused = () => {};
    const paused = new Promise<void>((resolve) => {
      onPaused = resolve;
    });
    const first = store.zstdBlocks(content, LEVEL, (count) => {
      progress.first += count;
      if (progress.first === 3 * MIN_CACHED_SIZE) onPaused();
    });
    await paused;
    const second = store.zstdBlocks(content, LEVEL, (count) => {
      progress.second += count;
    });
    expect(progress).toEqual({ first: 3 * MIN_CACHED_SIZE, second: 3 * MIN_CACHED_SIZE });
    resume();
    await Promise.all([first, second]);
    expect(progress).toEqual({ first: size, second: size });
  });

  test.each(['zstd', 'xz', 'gzip'] as const)('replaces damaged blocks: %s', async (codec) => {
    const before = await pack(tarOf([bytes]), codec);
    const path = files().find(
      (file) =>
        file.includes(`/${codec}-`) && file.includes(`-${LEVEL}/`) && file.endsWith(contentOf(bytes).key.slice(2)),
    );
    if (path === undefined) throw new Error('no block file found');
    const good = readFileSync(path);
    const flipped = [0, good.length >> 1, good.length - 1, good.length - 7, good.length - 20, good.length - 50].map(
      (at) => {
        const bad = Buffer.from(good);
        bad[at] = (bad[at] ?? 0) ^ 0x40;
        return () => writeFileSync(path, bad);
      },
    );
    // As after a power failure; and directories and links instead of a file.
    const zeros = [0, 1, 8, 300, good.length].map((size) => () => writeFileSync(path, Buffer.alloc(size)));
    const notFiles = [() => mkdirSync(join(path, 'directory'), { recursive: true }), () => symlinkSync(path, path)];
    for (const damage of [...flipped, ...zeros, ...notFiles]) {
      rmSync(path);
      damage();
      const fresh = await openStore();
      const packed = await pack(tarOf([bytes]), codec, fresh);
      expect(packed.equals(before)).toBe(true);
      expect(readFileSync(path).equals(good)).toBe(true);
    }
  });

  test('replaces a damaged small run', async () => {
    const small = Buffer.from('kept '.repeat(500));
    const first = await store.zstdRun(small, LEVEL);
    const key = createHash('sha256').update(small).digest('hex');
    const path = files().find((file) => file.includes(`zstd-run-${LEVEL}/`) && file.endsWith(key.slice(2))) ?? '';
    const good = readFileSync(path);
    for (const bad of [
      Buffer.alloc(0),
      Buffer.alloc(8),
      Buffer.alloc(300),
      good.subarray(1),
      Buffer.alloc(good.length),
    ]) {
      writeFileSync(path, bad);
      const fresh = await openStore();
      expect(Buffer.concat([...(await fresh.zstdRun(small, LEVEL)).blocks])).toEqual(Buffer.concat([...first.blocks]));
      expect(readFileSync(path).equals(good)).toBe(true);
    }
  });

  test.each(['zstd', 'xz', 'gzip'] as const)('stops reading and compressing after an abort: %s', async (codec) => {
    const stop = new AbortController();
    const stopped = await BlockStore.open(join(work, 'stopped'), threads, 1, stop.signal);
    const bytes = randomBytes(2 * MIN_CACHED_SIZE);
    let read = 0;
    const endless = {
      size: 2 ** 40,
      key: createHash('sha256').update(bytes).digest('hex'),
      async *open() {
        for (; ; read++) {
          if (read === 4) stop.abort(new Error('interrupted'));
          yield Uint8Array.from(bytes);
        }
      },
    };
    await expect(stopped.add(codec, endless, 1)).rejects.toThrow('interrupted');
    expect(read).toBeLessThan(50);
    expect(readdirSync(join(work, 'stopped/tmp'))).toEqual([]);
  });

  test('an aborted archive does not wait for the store', async () => {
    const stop = new AbortController();
    const slow = await openStore();
    vi.spyOn(slow, 'zstdBlocks').mockReturnValue(new Promise(() => {}));
    const compressing = compressArchive(tarOf([bytesOf({ stuff: 'random', size: 2 * MIN_CACHED_SIZE })]), {
      codec: 'zstd',
      level: LEVEL,
      store: slow,
      signal: stop.signal,
    });
    stop.abort(new Error('another package failed'));
    await expect(compressing).rejects.toThrow('another package failed');
  });

  test('explains what to do if blocks are removed during a build', async () => {
    const [file] = (await compressArchive(tarOf([bytes]), { codec: 'zstd', level: 2, store })).chunks.filter(
      (part) => 'path' in part,
    );
    if (file === undefined) throw new Error('no chunk is in a file');
    rmSync(file.path);
    await expect(store.write(join(work, 'out'), [file], { temporaryDirectory: work })).rejects.toMatchObject({
      kind: 'io',
      where: file.path,
      hint: expect.stringContaining('run the command again'),
    });
  });
});
