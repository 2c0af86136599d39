import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { copySync } from 'fs-extra/esm';
import { beforeAll, describe, expect, test } from 'vitest';
import { makeBinariesDirectory, noise } from '../support/binaries-directory.ts';
import { directoryOfFile, everythingIn, expectFailure, packagesIn, sha256Of, succeed } from '../support/cli.ts';
import { objectsIn } from '../support/release-fixture.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const shared = directoryOfFile();
const source = join(shared, 'release');
const DIRECTORY = ['--source', source, '--arch', 'amd64'];
const SAMPLE = ['--source', 'sample', '--arch', 'amd64'];
const lock = join(shared, 'kubeparcel.lock');
const bundle = join(shared, 'release.kpb');
let reference: Record<string, string>;

beforeAll(async () => {
  makeBinariesDirectory(source, { kubelet: noise(1) });
  await succeed(['fetch', ...DIRECTORY, '--bundle', bundle], { cwd: shared });
  await succeed(['build', ...DIRECTORY], { cwd: shared });
  reference = packagesIn(join(shared, 'dist'));
});

/** A place in the header of the first artifact of the bundle: after the lock's header and text, in blocks of 512. */
function firstArtifact(): number {
  return 512 * (1 + Math.ceil(readFileSync(lock).length / 512)) + 10;
}

/** No packages, and no objects in the store. */
function expectNothing(cwd: string): void {
  expect(packagesIn(join(cwd, 'dist'))).toEqual({});
  const store = join(cwd, '.cache', 'kubeparcel');
  if (everythingIn(store).length > 0) expect(objectsIn(store)).toEqual([]);
}

function flipped(path: string, at: number, to: string): string {
  const bytes = readFileSync(path);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  writeFileSync(to, bytes);
  return to;
}

describe('fetch', () => {
  test('writes the same lock with every artifact each time, and a table of 80 columns', async () => {
    const cwd = temporaryDirectory();
    const stdout = await succeed(['fetch', ...DIRECTORY], { cwd });
    const text = readFileSync(join(cwd, 'kubeparcel.lock'), 'utf8');
    expect(text).toBe(readFileSync(lock, 'utf8'));
    expect(text.match(/^ {4}sha256: /gm)).toHaveLength(6);
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80 + source.length);
    expect(packagesIn(join(cwd, 'dist'))).toEqual({});
  });

  test('--packages limits the lock, --lock names the file', async () => {
    const cwd = temporaryDirectory();
    await succeed(['fetch', ...SAMPLE, '--packages', 'kubelet', '--lock', 'my.lock'], { cwd });
    const text = readFileSync(join(cwd, 'my.lock'), 'utf8');
    expect(text.match(/component: (.*)/g)).toEqual(['component: kubelet']);
    await succeed(['build', ...SAMPLE, '--packages', 'kubelet', '--locked', '--lock', 'my.lock'], { cwd });
    expect(Object.keys(packagesIn(join(cwd, 'dist')))).toHaveLength(2);
  });
});

describe('build --locked', () => {
  test('builds the artifacts in the lock', async () => {
    const cwd = temporaryDirectory();
    await succeed(['build', ...DIRECTORY, '--locked', '--lock', lock], { cwd });
    expect(packagesIn(join(cwd, 'dist'))).toEqual(reference);
  });

  test('a changed byte anywhere in the lock is refused', async () => {
    const { length } = readFileSync(lock);
    const cwd = temporaryDirectory();
    const places = [40, Math.floor(length / 2), length - 70, length - 1];
    for (const at of places) {
      const damaged = flipped(lock, at, join(cwd, 'damaged.lock'));
      await expectFailure(['build', ...DIRECTORY, '--locked', '--lock', damaged], { cwd }, 5, 'the lock is damaged');
    }
    expectNothing(cwd);
  });

  test('a changed payload is refused, and no files are written', async () => {
    const cwd = temporaryDirectory();
    const changed = join(cwd, 'release');
    copySync(source, changed);
    const kubelet = join(changed, 'amd64', 'kubelet');
    flipped(kubelet, 500_000, kubelet);
    const args = ['build', '--source', changed, '--arch', 'amd64', '--packages', 'kubelet', '--locked', '--lock', lock];
    await expectFailure(args, { cwd }, 5, /sha256 [0-9a-f]{64}, expected [0-9a-f]{64}; it was discarded/);
    expectNothing(cwd);
    // A matching SHA256SUMS in the directory does not help.
    const sums = join(changed, 'SHA256SUMS');
    const text = readFileSync(sums, 'utf8').replace(/^\S+(?= {2}amd64\/kubelet$)/m, sha256Of(kubelet));
    writeFileSync(sums, text);
    await expectFailure(args, { cwd }, 5, 'it was discarded');
    expectNothing(cwd);
  });

  test.each([
    ['another architecture', ['--arch', 'arm64'], 'the lock has no \\S+ for arm64'],
    ['another version', ['1.35.0', '--arch', 'amd64'], 'the lock is for 1.36.4, not 1.35.0'],
  ])('%s than in the lock is refused', async (_, flags, message) => {
    const cwd = temporaryDirectory();
    const args = ['build', '--source', source, '--locked', '--lock', lock, ...flags];
    await expectFailure(args, { cwd }, 5, new RegExp(message));
    expectNothing(cwd);
  });

  test('a package that is not in the lock is refused', async () => {
    const cwd = temporaryDirectory();
    await succeed(['fetch', ...SAMPLE, '--packages', 'kubelet'], { cwd });
    const args = ['build', ...SAMPLE, '--packages', 'kubelet,kubeadm', '--locked'];
    await expectFailure(args, { cwd }, 5, 'the lock has no kubeadm');
    expect(packagesIn(join(cwd, 'dist'))).toEqual({});
  });

  test('without a lock fails with a hint', async () => {
    const text = await expectFailure(['build', ...SAMPLE, '--locked'], { cwd: temporaryDirectory() }, 7, 'lock');
    expect(text).toContain('kubeparcel fetch');
  });
});

describe('a bundle', () => {
  test('is sufficient to build the same packages on another machine', async () => {
    const cwd = temporaryDirectory();
    copySync(bundle, join(cwd, 'release.kpb'));
    await succeed(['build', '--source', 'release.kpb', '--arch', 'amd64'], { cwd });
    expect(packagesIn(join(cwd, 'dist'))).toEqual(reference);
  });

  test('has the same bytes each time, with any cache', async () => {
    const cwd = temporaryDirectory();
    await succeed(['fetch', ...DIRECTORY, '--bundle', 'again.kpb'], { cwd });
    expect(readFileSync(join(cwd, 'again.kpb')).equals(readFileSync(bundle))).toBe(true);
    expect(readdirSync(cwd).sort()).toEqual(['.cache', 'again.kpb', 'kubeparcel.lock']);
  });

  test.each([
    ['its name', () => 0, 2],
    ['its lock', () => 600, 5],
    ['a header', firstArtifact, 6],
    ['an artifact', () => 700_000, 5],
  ])('with a byte of %s flipped is refused', async (_, at, exitCode) => {
    const cwd = temporaryDirectory();
    const damaged = flipped(bundle, at(), join(cwd, 'damaged.kpb'));
    const args = ['build', '--source', damaged, '--arch', 'amd64'];
    await expectFailure(args, { cwd }, exitCode, /./);
    expect(packagesIn(join(cwd, 'dist'))).toEqual({});
  });

  test('that is truncated is refused', async () => {
    const cwd = temporaryDirectory();
    writeFileSync(join(cwd, 'cut.kpb'), readFileSync(bundle).subarray(0, 900_000));
    await expectFailure(['build', '--source', 'cut.kpb', '--arch', 'amd64'], { cwd }, 6, 'truncated');
    expectNothing(cwd);
  });
});
