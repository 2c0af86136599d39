import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import { FileThreads } from '../../../src/compress/threads/file-threads.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const threads = new FileThreads();
afterAll(() => threads.close());

/** Chunks with sizes around that of the thread's buffer, and their bytes. */
function makeChunks() {
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

describe('checksums', () => {
  test('cover the bytes of all chunks', async () => {
    const { chunks, whole } = makeChunks();
    expect(await threads.crc32(chunks)).toBe(crc32(whole));
    for (const algorithm of ['md5', 'sha256'] as const) {
      const expected = createHash(algorithm).update(whole).digest('hex');
      expect(await threads.digest(algorithm, chunks)).toBe(expected);
    }
  });

  test('fail for a missing or truncated file', async () => {
    const { path, whole } = makeChunks();
    const missing = `${path}.missing`;
    await expect(threads.digest('md5', [{ path: missing, size: 1 }])).rejects.toMatchObject({
      kind: 'io',
      where: missing,
      hint: expect.stringContaining('run the command again'),
      cause: { code: 'ENOENT' },
    });
    await expect(threads.digest('md5', [{ path, size: whole.length }])).rejects.toThrow('shorter');
  });
});

describe('writing', () => {
  test('writes all bytes with exactly this mode, and returns their SHA-256', async () => {
    const { directory, chunks, whole } = makeChunks();
    const path = join(directory, 'written');
    const sha256 = await threads.write(path, 0o666, chunks);
    expect(readFileSync(path).equals(whole)).toBe(true);
    expect(sha256).toBe(createHash('sha256').update(whole).digest('hex'));
    expect(statSync(path).mode & 0o777).toBe(0o666);
  });

  test('never overwrites an existing file', async () => {
    const { path, whole } = makeChunks();
    await expect(threads.write(path, 0o644, [whole])).rejects.toMatchObject({ code: 'EEXIST' });
  });
});
