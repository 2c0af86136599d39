import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fetchPayload } from '../../../src/payload/fetch.ts';
import { openStore } from '../../../src/payload/store/content-store.ts';
import { resolveRelease } from '../../../src/release/resolve.ts';
import { parseVersionRequest } from '../../../src/release/version-request.ts';
import { packageRoot } from '../../../src/support/package-root.ts';
import { objectsIn, openedSource, PACKAGING, RELEASE, servedRelease } from '../../support/release-fixture.ts';
import { pathsOf } from '../../support/release-server.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const ROOT = packageRoot();
let compiled: string;

// Inside the project, so that the child process finds its dependencies.
beforeAll(async () => {
  mkdirSync(join(ROOT, 'lib'), { recursive: true });
  compiled = mkdtempSync(join(ROOT, 'lib', '.test-'));
  writeFileSync(
    join(compiled, 'tsconfig.json'),
    JSON.stringify({
      extends: '../../tsconfig.json',
      compilerOptions: { noEmit: false, rootDir: '../..', outDir: '.' },
      include: [],
      files: ['../../test/support/fetching-child.ts'],
    }),
  );
  await execa(join(ROOT, 'node_modules', '.bin', 'tsc'), ['-p', compiled], { cwd: ROOT });
});
afterAll(() => rmSync(compiled, { recursive: true, force: true }));

function child(url: string, store: string) {
  return execa('node', [join(compiled, 'test', 'support', 'fetching-child.js'), url, store, PACKAGING], {
    reject: false,
  });
}

function expectCompleteObjects(store: string): void {
  for (const hex of objectsIn(store)) {
    const bytes = readFileSync(join(store, 'objects', hex.slice(0, 2), hex.slice(2)));
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(hex);
  }
}

test('a fetch killed at any moment leaves only complete objects, and the next one succeeds', async () => {
  const server = await servedRelease({ ...RELEASE, kubeletBytes: 3_000_000 });
  const store = temporaryDirectory();
  await openStore(store);
  for (const event of ['download', 'progress', 'verified', 'unpacked']) {
    const fetching = child(server.url, store);
    for await (const line of fetching) {
      if (line === event) fetching.kill('SIGKILL');
    }
    await fetching;
    expectCompleteObjects(store);
  }
  expect((await child(server.url, store)).stdout).toMatch(/done$/);
  expectCompleteObjects(store);
  expect(readdirSync(join(store, 'tmp'))).toEqual([]);
});

test('a fetch resumes the download of a killed one immediately', async () => {
  const server = await servedRelease({ ...RELEASE, kubeletBytes: 1_000_000 });
  const { kubelet } = pathsOf(RELEASE, 'amd64');
  const store = temporaryDirectory();
  server.misbehave(kubelet, [{ kind: 'stall', after: 600_000 }], 'ever');
  const fetching = child(server.url, store);
  let half = '';
  for await (const line of fetching) {
    const claimed = line === 'progress' ? readdirSync(join(store, 'partial')) : [];
    // Partial downloads of other artifacts become objects in the meantime.
    half ||=
      claimed.find((name) => {
        const data = statSync(join(store, 'partial', name, 'data'), { throwIfNoEntry: false });
        return data !== undefined && data.size > 500_000;
      }) ?? '';
    if (half !== '') fetching.kill('SIGKILL');
  }
  await fetching;
  server.misbehave(kubelet, []);
  server.requests.length = 0;
  const source = await openedSource(server.url);
  const release = await resolveRelease(parseVersionRequest('1.36.4'), {
    source,
    pins: RELEASE,
    architectures: ['amd64'],
  });
  await fetchPayload({ release, source, store: await openStore(store) });
  expect(server.requests.find(({ range }) => range !== undefined)).toMatchObject({
    path: kubelet,
    range: expect.stringMatching(/^bytes=[56]\d{5}-$/),
  });
  // An artifact that was already an object may leave an empty directory, which the next run removes.
  const key = half.split('.')[0] ?? '';
  expect(readdirSync(join(store, 'partial')).filter((name) => name.startsWith(key))).toEqual([]);
});

test('two processes that fill the same store both succeed', async () => {
  const server = await servedRelease({ ...RELEASE, kubeletBytes: 3_000_000 });
  const store = temporaryDirectory();
  const both = await Promise.all([child(server.url, store), child(server.url, store)]);
  for (const { stdout, stderr } of both) expect(stdout + stderr).toMatch(/done$/);
  expectCompleteObjects(store);
  expect([...readdirSync(join(store, 'tmp')), ...readdirSync(join(store, 'partial'))]).toEqual([]);
});
