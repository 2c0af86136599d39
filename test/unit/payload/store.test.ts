import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { defaultStoreDirectory, openStore } from '../../../src/payload/store/content-store.ts';
import { objectsIn } from '../../support/release-fixture.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const sha256 = (bytes: string) => createHash('sha256').update(bytes).digest('hex');
const pathOf = (directory: string, hex: string) => join(directory, 'objects', hex.slice(0, 2), hex.slice(2));

async function textOf(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return Buffer.concat(parts).toString();
}

test.each([
  [{ XDG_CACHE_HOME: '/c', HOME: '/h' }, '/c/kubeparcel'],
  [{ HOME: '/h' }, '/h/.cache/kubeparcel'],
  [{ XDG_CACHE_HOME: '', HOME: '/h' }, '/h/.cache/kubeparcel'],
  [{ XDG_CACHE_HOME: 'relative', HOME: '/h' }, '/h/.cache/kubeparcel'],
])('%j: the store is %s', (environment, directory) => {
  expect(defaultStoreDirectory(environment)).toBe(directory);
});

test('an object can be read back, and the same bytes are stored once', async () => {
  const directory = temporaryDirectory();
  const store = await openStore(directory);
  const chunks = [Buffer.from('kube'), Buffer.from('let')];
  const object = await store.put(chunks);
  expect(object).toEqual({ sha256: sha256('kubelet'), size: 7 });
  expect(await store.put(chunks, object)).toEqual(object);
  expect(await textOf(store.open(object.sha256))).toBe('kubelet');
  expect(objectsIn(directory)).toEqual([object.sha256]);
  expect(statSync(pathOf(directory, object.sha256)).mode & 0o777).toBe(0o444);
  expect(readdirSync(join(directory, 'tmp'))).toEqual([]);
});

test('unexpected bytes are not stored', async () => {
  const directory = temporaryDirectory();
  const store = await openStore(directory);
  await expect(store.put([Buffer.from('x')], { sha256: sha256('y') })).rejects.toMatchObject({ kind: 'verification' });
  await expect(store.put([Buffer.from('x')], { size: 2 })).rejects.toMatchObject({ kind: 'verification' });
  const failing = async function* () {
    yield Buffer.from('x');
    throw new Error('the source broke');
  };
  await expect(store.put(failing())).rejects.toThrow('the source broke');
  expect(objectsIn(directory)).toEqual([]);
  expect(readdirSync(join(directory, 'tmp'))).toEqual([]);
});

test('reading a missing object fails with a message', async () => {
  const store = await openStore(temporaryDirectory());
  await expect(textOf(store.open(sha256('x')))).rejects.toMatchObject({ kind: 'io' });
  expect(await store.has(sha256('x'))).toBe(false);
});

test('a truncated or modified object is removed; one with only a new mtime stays', async () => {
  const directory = temporaryDirectory();
  const store = await openStore(directory);
  const { sha256: hex } = await store.put([Buffer.from('kubelet')]);
  const path = pathOf(directory, hex);
  expect(await store.has(hex, 7)).toBe(true);
  utimesSync(path, new Date(), new Date());
  expect(await store.has(hex, 7)).toBe(true);
  expect(statSync(path).mtimeMs).toBe(946_684_800_000);
  const { mtimeMs } = statSync(path);
  // Root can write in spite of mode 0444.
  writeFileSync(path, 'kubelex', { mode: 0o644 });
  expect(statSync(path).mtimeMs).not.toBe(mtimeMs);
  expect(await store.has(hex, 7)).toBe(false);
  expect(objectsIn(directory)).toEqual([]);
  await store.put([Buffer.from('kubelet')]);
  writeFileSync(path, 'kube');
  utimesSync(path, 946_684_800, 946_684_800);
  expect(await store.has(hex, 7)).toBe(false);
});

test('many concurrent writers of the same and of different objects succeed', async () => {
  const directory = temporaryDirectory();
  const stores = await Promise.all([openStore(directory), openStore(directory), openStore(directory)]);
  const texts = ['a', 'b', 'c'];
  await Promise.all(
    stores.flatMap((store) => Array.from({ length: 30 }, (_, i) => store.put([Buffer.from(texts[i % 3] ?? '')]))),
  );
  expect(objectsIn(directory)).toEqual(texts.map(sha256).sort());
  for (const text of texts) expect(readFileSync(pathOf(directory, sha256(text)), 'utf8')).toBe(text);
});

const DIGEST = { sha256: sha256('kubelet') };

test('a partial download is continued by the next transfer, and only by one', async () => {
  const directory = temporaryDirectory();
  const store = await openStore(directory);
  const first = await store.claim('https://x/kubelet', DIGEST);
  expect(first).toMatchObject({ size: 0, validator: undefined });
  await first.restart('"etag"');
  await first.append(Buffer.from('kube'));
  await first.release();
  const second = await store.claim('https://x/kubelet', DIGEST);
  const third = await store.claim('https://x/kubelet', DIGEST);
  const other = await store.claim('https://y/kubelet', DIGEST);
  expect([second.size, second.validator, third.size, other.size]).toEqual([4, '"etag"', 0, 0]);
  expect(objectsIn(directory)).toEqual([]);
  await second.append(Buffer.from('let'));
  expect(second.digest('sha256')).toBe(DIGEST.sha256);
  await second.stage().commit();
  await third.discard();
  await other.release();
  expect(objectsIn(directory)).toEqual([DIGEST.sha256]);
  expect(readdirSync(join(directory, 'partial'))).toEqual([]);
});

test('a partial download computes SHA-512 and SHA-256', async () => {
  const store = await openStore(temporaryDirectory());
  const sha512 = createHash('sha512').update('kubelet').digest('hex');
  const partial = await store.claim('https://x/kubelet', { sha512 });
  await partial.append(Buffer.from('kubelet'));
  expect(partial.digest('sha512')).toBe(sha512);
  expect(partial.stage()).toMatchObject({ ...DIGEST, size: 7 });
  await partial.discard();
});

test('opening a store removes files of killed processes and old downloads', async () => {
  const directory = temporaryDirectory();
  await openStore(directory);
  const old = new Date(Date.now() - 20 * 86_400_000);
  const stale = join(directory, 'tmp', 'object.000000000000.1.000000000000');
  const fresh = join(directory, 'tmp', 'object.000000000000.2.000000000000');
  const partial = join(directory, 'partial', 'a'.repeat(64));
  writeFileSync(stale, 'x');
  writeFileSync(fresh, 'x');
  mkdirSync(partial);
  utimesSync(stale, old, old);
  utimesSync(partial, old, old);
  await openStore(directory);
  expect(readdirSync(join(directory, 'tmp'))).toEqual(['object.000000000000.2.000000000000']);
  expect(readdirSync(join(directory, 'partial'))).toEqual([]);
});

test('opening a store keeps an object that another process is about to commit', async () => {
  const directory = temporaryDirectory();
  await openStore(directory);
  const sealed = join(directory, 'tmp', 'object.000000000000.1.000000000000');
  writeFileSync(sealed, 'x');
  utimesSync(sealed, 946_684_800, 946_684_800);
  await openStore(directory);
  expect(readdirSync(join(directory, 'tmp'))).toHaveLength(1);
});

test('a file in place of the store fails with a message', async () => {
  const directory = join(temporaryDirectory(), 'file');
  writeFileSync(directory, '');
  await expect(openStore(directory)).rejects.toMatchObject({ kind: 'io', where: directory });
});
