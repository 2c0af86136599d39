import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { outputFileSync } from 'fs-extra/esm';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { BLOCK_RECIPE } from '../../../src/compress/block-store.ts';
import { type CachedFile, isIntact, listCache, selectForLimit, selectForPrune } from '../../../src/payload/cache.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const platform = vi.hoisted(() => ({ isWindows: false }));
vi.mock('node:path', async (original) => {
  const path = await original<typeof import('node:path')>();
  return {
    ...path,
    // As on Windows.
    relative: (from: string, to: string) =>
      platform.isWindows ? path.relative(from, to).replaceAll('/', '\\') : path.relative(from, to),
    get sep() {
      return platform.isWindows ? '\\' : '/';
    },
  };
});
afterEach(() => {
  platform.isWindows = false;
});

const NOW = 1_800_000_000;
const HOUR = 3600;
const DAY = 24 * HOUR;
const file = (path: string, age: number, more: Partial<CachedFile> = {}): CachedFile => {
  return { kind: 'blocks', path, size: 100, used: NOW - age, current: true, ...more };
};
const names = (files: readonly CachedFile[]) => files.map(({ path }) => path);

describe('blocks to remove', () => {
  const files = [
    file('old', 3 * DAY),
    file('older', 9 * DAY),
    file('now', 60),
    file('other', 2 * DAY, { current: false }),
    file('abandoned', 8 * DAY, { current: false }),
    file('object', 99 * DAY, { kind: 'objects' }),
    file('fact', 99 * DAY, { kind: 'facts' }),
  ];

  test.each([
    [1000, ['other', 'abandoned']],
    [250, ['other', 'abandoned', 'older']],
    [100, ['other', 'abandoned', 'older', 'old']],
    [0, ['other', 'abandoned', 'older', 'old', 'now']],
  ])('cache prune to %i bytes: blocks of other versions, then the oldest', (bytes, gone) => {
    expect(names(selectForPrune(files, bytes))).toEqual(gone);
  });

  test.each([
    [1000, ['abandoned']],
    [300, ['abandoned', 'older']],
    [100, ['abandoned', 'older', 'old', 'other']],
    [0, ['abandoned', 'older', 'old', 'other']],
  ])('a build with a limit of %i bytes: nothing that may be in use', (bytes, gone) => {
    expect(names(selectForLimit(files, bytes, NOW))).toEqual(gone);
  });
});

test.each([false, true])('the path gives kind and version (Windows: %s)', (isWindows) => {
  const directory = temporaryDirectory();
  const paths = [
    'built/ab/cd',
    'index/ab.json',
    'objects/ab/cd',
    `packed/${BLOCK_RECIPE}/facts/md5/ab/cd`,
    `packed/${BLOCK_RECIPE}/zstd-19/ab/cd`,
    'packed/earlier/zstd-19/ab/cd',
  ];
  for (const path of paths) {
    outputFileSync(join(directory, path), '');
  }
  platform.isWindows = isWindows;
  const found = listCache(directory);
  expect(new Set(found.map(({ path, kind, current }) => `${path} ${kind} ${current}`))).toEqual(
    new Set([
      'built/ab/cd built true',
      'index/ab.json index true',
      'objects/ab/cd objects true',
      `packed/${BLOCK_RECIPE}/facts/md5/ab/cd facts true`,
      `packed/${BLOCK_RECIPE}/zstd-19/ab/cd blocks true`,
      'packed/earlier/zstd-19/ab/cd blocks false',
    ]),
  );
});

test.each(['objects', 'index', 'blocks', 'facts', 'built'] as const)(
  'a modified file of %s is not intact',
  async (kind) => {
    const directory = temporaryDirectory();
    for (const bytes of ['', 'garbage', '\0'.repeat(8), '\0'.repeat(300)]) {
      writeFileSync(join(directory, 'file'), bytes);
      expect(await isIntact(directory, file('file', 0, { kind })), JSON.stringify(bytes)).toBe(false);
    }
    // A file that another process removed is not damaged.
    expect(await isIntact(directory, file('gone', 0, { kind }))).toBe(true);
  },
);
