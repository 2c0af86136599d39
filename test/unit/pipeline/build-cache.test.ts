import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { BuildCache, fileIdentity } from '../../../src/pipeline/build-cache.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const KEY = 'a'.repeat(64);

/** A package that a build just wrote, and an empty cache. */
async function writtenPackage() {
  const directory = temporaryDirectory();
  const path = join(directory, 'package.deb');
  writeFileSync(path, 'bytes');
  const written = { path, size: 5, sha256: createHash('sha256').update('bytes').digest('hex') };
  const cacheDirectory = join(directory, 'cache');
  const cache = new BuildCache(cacheDirectory);
  return { written, cacheDirectory, directory, cache, identity: await fileIdentity(path) };
}

const recordIn = (directory: string) => {
  const [name = ''] = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((one) => one.length > 60);
  return join(directory, name);
};

test('finds a package by its key', async () => {
  const { written, cache, identity } = await writtenPackage();
  await cache.remember(written, KEY, identity);
  expect(await cache.find(written.path, KEY)).toEqual(written);
  expect(await cache.find(written.path, 'b'.repeat(64))).toBeUndefined();
});

test('does not record a file that replaced the package in the meantime', async () => {
  const { written, cache, identity, directory } = await writtenPackage();
  // Same size and time, as from another build.
  copyFileSync(written.path, join(directory, 'other'));
  renameSync(join(directory, 'other'), written.path);
  await cache.remember(written, KEY, identity);
  expect(await cache.find(written.path, KEY)).toBeUndefined();
});

test('ignores a record with any changed byte', async () => {
  const { written, cache, identity, cacheDirectory } = await writtenPackage();
  await cache.remember(written, KEY, identity);
  const record = recordIn(cacheDirectory);
  const good = readFileSync(record);
  for (let at = 0; at < good.length; at++) {
    const bad = Buffer.from(good);
    bad[at] = (bad[at] ?? 0) ^ 1;
    writeFileSync(record, bad);
    expect(await cache.find(written.path, KEY), `byte ${at}`).toBeUndefined();
  }
  writeFileSync(record, good);
  expect(await cache.find(written.path, KEY)).toEqual(written);
});

test('does not fail if the cache cannot be written', async () => {
  const { written, cache, identity, cacheDirectory } = await writtenPackage();
  mkdirSync(cacheDirectory);
  writeFileSync(join(cacheDirectory, 'built'), 'a file');
  await cache.remember(written, KEY, identity);
  expect(await cache.find(written.path, KEY)).toBeUndefined();
});
