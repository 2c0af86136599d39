import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fileIdentity, openBuiltBefore } from '../../../src/pipeline/build-cache.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const KEY = 'a'.repeat(64);

/** A package as a build has just put it in its place, remembered or not. */
async function built() {
  const directory = temporaryDirectory();
  const path = join(directory, 'package.deb');
  writeFileSync(path, 'bytes');
  const written = { path, size: 5, sha256: createHash('sha256').update('bytes').digest('hex') };
  const cache = join(directory, 'cache');
  return { written, cache, directory, before: openBuiltBefore(cache), left: await fileIdentity(path) };
}

const recordIn = (cache: string) => {
  const [name = ''] = readdirSync(cache, { recursive: true, encoding: 'utf8' }).filter((one) => one.length > 60);
  return join(cache, name);
};

test('a package is known by what it was made of', async () => {
  const { written, before, left } = await built();
  await before.remember(written, KEY, left);
  expect(await before.find(written.path, KEY)).toEqual(written);
  expect(await before.find(written.path, 'b'.repeat(64))).toBeUndefined();
});

test('what somebody else has put in its place meanwhile is not taken for it', async () => {
  const { written, before, left, directory } = await built();
  // Of the same size and time, as another build leaves it.
  copyFileSync(written.path, join(directory, 'other'));
  renameSync(join(directory, 'other'), written.path);
  await before.remember(written, KEY, left);
  expect(await before.find(written.path, KEY)).toBeUndefined();
});

test('a record with any other byte is none', async () => {
  const { written, before, left, cache } = await built();
  await before.remember(written, KEY, left);
  const record = recordIn(cache);
  const good = readFileSync(record);
  for (let at = 0; at < good.length; at++) {
    const bad = Buffer.from(good);
    bad[at] = (bad[at] ?? 0) ^ 1;
    writeFileSync(record, bad);
    expect(await before.find(written.path, KEY), `byte ${at}`).toBeUndefined();
  }
  writeFileSync(record, good);
  expect(await before.find(written.path, KEY)).toEqual(written);
});

test('where nothing can be kept, nothing fails', async () => {
  const { written, before, left, cache } = await built();
  mkdirSync(cache);
  writeFileSync(join(cache, 'built'), 'a file');
  await before.remember(written, KEY, left);
  expect(await before.find(written.path, KEY)).toBeUndefined();
});
