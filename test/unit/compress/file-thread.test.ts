import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type FileThread, startFileThread } from '../../../src/compress/threads/file-thread.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

let thread: FileThread;
beforeAll(() => {
  thread = startFileThread();
});
afterAll(() => thread.close());

/** Parts around the size of the thread's buffer, and the bytes that they stand for. */
function makeParts() {
  const directory = temporaryDirectory();
  const long = randomBytes(3 * (1 << 18) + 17);
  const path = join(directory, 'long');
  writeFileSync(path, long);
  const chunks = [
    Buffer.from('head'),
    { path, size: long.length },
    new Uint8Array(),
    { path, size: 1 << 18 },
    { path, size: 0 },
    randomBytes(70_000),
    { path, size: 5 },
  ];
  const bytes = chunks.map((part) => (part instanceof Uint8Array ? part : long.subarray(0, part.size)));
  return { directory, chunks, whole: Buffer.concat(bytes), path };
}

describe('sums', () => {
  test('are those of all bytes', async () => {
    const { chunks, whole } = makeParts();
    expect(await thread.run({ call: 'sum', algorithm: 'crc32', chunks })).toBe(String(crc32(whole)));
    for (const algorithm of ['md5', 'sha256'] as const) {
      const expected = createHash(algorithm).update(whole).digest('hex');
      expect(await thread.run({ call: 'sum', algorithm, chunks })).toBe(expected);
    }
  });

  test('of a file that is not there, or is shorter than is said', async () => {
    const { path, whole } = makeParts();
    const gone = [{ path: `${path}.gone`, size: 1 }];
    await expect(thread.run({ call: 'sum', algorithm: 'md5', chunks: gone })).rejects.toMatchObject({ code: 'ENOENT' });
    const short = [{ path, size: whole.length }];
    await expect(thread.run({ call: 'sum', algorithm: 'md5', chunks: short })).rejects.toThrow('shorter');
  });
});

describe('writing', () => {
  test('gives the bytes, their digest, and the mode whatever the umask', async () => {
    const { directory, chunks, whole } = makeParts();
    const path = join(directory, 'written');
    const sha256 = await thread.run({ call: 'write', path, mode: 0o666, chunks });
    expect(readFileSync(path).equals(whole)).toBe(true);
    expect(sha256).toBe(createHash('sha256').update(whole).digest('hex'));
    expect(statSync(path).mode & 0o777).toBe(0o666);
  });

  test('never goes over a file that is there', async () => {
    const { path, whole } = makeParts();
    const call = { call: 'write', path, mode: 0o644, chunks: [whole] } as const;
    await expect(thread.run(call)).rejects.toMatchObject({ code: 'EEXIST' });
  });
});
