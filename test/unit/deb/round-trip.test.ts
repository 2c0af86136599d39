import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseCompression } from '../../../src/model/compression.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { arbitraryLayout } from './arbitrary-layout.ts';
import { byReference, readBytes, writeBytes } from './packages.ts';

test('any layout is unchanged after writing and reading it', async () => {
  const directory = temporaryDirectory();
  await fc.assert(
    fc.asyncProperty(arbitraryLayout, fc.constantFrom('gzip:1', 'none', 'xz:0'), async (layout, compression) => {
      const read = await readBytes(await writeBytes(layout, directory, compression), directory);
      expect(read.layout).toEqual(byReference(layout));
      expect(read.codec).toBe(parseCompression(compression).codec);
    }),
    { numRuns: 120 },
  );
});

test('any layout is unchanged after writing and reading it with zstd', async () => {
  const directory = temporaryDirectory();
  await fc.assert(
    fc.asyncProperty(arbitraryLayout, async (layout) => {
      const read = await readBytes(await writeBytes(layout, directory, 'zstd:3'), directory);
      expect(read.layout).toEqual(byReference(layout));
    }),
    { numRuns: 4 },
  );
});
