/** What a build keeps for the next one: seen from outside. */
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { BLOCK_RECIPE } from '../../src/compress/block-store.ts';
import { makeBinariesDirectory, noise } from '../support/binaries-directory.ts';
import { expectFailure, packagesIn, run, succeed } from '../support/cli.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const SAMPLE = ['build', '--source', 'sample', '--arch', 'amd64'];
const linesOf = (word: string, text: string) => text.match(new RegExp(`^${word} +`, 'gm'))?.length ?? 0;

describe('a second build', () => {
  test('with the same settings changes no file', async () => {
    const cwd = temporaryDirectory();
    await succeed(SAMPLE, { cwd });
    const before = statSync(join(cwd, 'dist/SHA256SUMS')).size;
    const inodes = () =>
      readdirSync(join(cwd, 'dist'))
        .filter((name) => name !== 'SHA256SUMS')
        .map((name) => statSync(join(cwd, 'dist', name)).ino);
    const written = inodes();
    const { stderr, stdout } = await run(SAMPLE, { cwd });
    expect([linesOf('unchanged', stderr), linesOf('built', stderr)]).toEqual([10, 0]);
    expect(stdout).toContain('10 packages of Kubernetes v1.37.0 in dist/');
    expect(inodes()).toEqual(written);
    expect(statSync(join(cwd, 'dist/SHA256SUMS')).size).toBe(before);
  });

  test.each([
    ['was written to', (path: string) => appendFileSync(path, 'x')],
    [
      'was written to and has its old size and time',
      (path: string) => {
        const { atime, mtime } = statSync(path);
        const bytes = readFileSync(path);
        bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
        writeFileSync(path, bytes);
        utimesSync(path, atime, mtime);
      },
    ],
  ])('writes a package again that %s', async (_, touch) => {
    const cwd = temporaryDirectory();
    await succeed(SAMPLE, { cwd });
    const packages = packagesIn(join(cwd, 'dist'));
    const [name = ''] = Object.keys(packages);
    touch(join(cwd, 'dist', name));
    const { stderr } = await run(SAMPLE, { cwd });
    expect([linesOf('unchanged', stderr), linesOf('built', stderr)]).toEqual([9, 1]);
    expect(packagesIn(join(cwd, 'dist'))).toEqual(packages);
  });

  test('with other settings writes other packages', async () => {
    const cwd = temporaryDirectory();
    await succeed(SAMPLE, { cwd });
    const packages = packagesIn(join(cwd, 'dist'));
    const { stderr } = await run([...SAMPLE, '--restart', 'try-restart'], { cwd });
    expect(linesOf('unchanged', stderr)).toBeLessThan(10);
    expect(packagesIn(join(cwd, 'dist'))).not.toEqual(packages);
  });
});

describe('cache', () => {
  test('ls lists, verify repairs and prune removes files', async () => {
    const cwd = temporaryDirectory();
    const source = makeBinariesDirectory(join(cwd, 'binaries'), { kubelet: noise(2) });
    const build = [
      'build',
      '1.36.4',
      '--source',
      source,
      '--arch',
      'amd64',
      '--compression',
      'zstd:1',
      '--distro',
      'debian-12',
    ];
    await succeed(build, { cwd });
    const packages = packagesIn(join(cwd, 'dist'));
    const cache = join(cwd, '.cache/kubeparcel');
    expect(await succeed(['cache', 'ls'], { cwd })).toMatch(/^Compressed blocks +[1-9]/m);
    const blocks = readdirSync(join(cache, 'packed'), { recursive: true, encoding: 'utf8' }).filter((name) =>
      /zstd-1\/..\/[0-9a-f]{62}$/.test(name),
    );
    const [first = ''] = blocks;
    appendFileSync(join(cache, 'packed', first), 'x');
    expect(await succeed(['cache', 'verify'], { cwd })).toContain('removed 1 damaged');
    expect(await succeed(['cache', 'verify'], { cwd })).toContain('none is damaged');
    await succeed([...build, '--out', 'again'], { cwd });
    expect(packagesIn(join(cwd, 'again'))).toEqual(packages);
    expect(await succeed(['cache', 'prune', '--keep', '0'], { cwd })).toMatch(/^Removed \d+ files/);
    expect(await succeed(['cache', 'ls'], { cwd })).toMatch(/^Compressed blocks +0/m);
    await succeed(['cache', 'prune', '--all'], { cwd });
    expect(await succeed(['cache', 'ls'], { cwd })).toContain('0 B in ');
  });

  test('a build succeeds when the cache cannot store records', async () => {
    const cwd = temporaryDirectory();
    mkdirSync(join(cwd, '.cache/kubeparcel'), { recursive: true });
    writeFileSync(join(cwd, '.cache/kubeparcel/built'), 'not a directory');
    await succeed(SAMPLE, { cwd });
    const sums = readFileSync(join(cwd, 'dist/SHA256SUMS'), 'utf8');
    for (const [name, sha256] of Object.entries(packagesIn(join(cwd, 'dist'))))
      expect(sums).toContain(`${sha256}  ${name}`);
  });

  test.each(['zstd:1', 'gzip:1', 'none'])(
    'a damaged artifact is fetched again by the next build: %s',
    async (codec) => {
      const cwd = temporaryDirectory();
      const source = makeBinariesDirectory(join(cwd, 'binaries'), { kubelet: noise(1) });
      const build = ['build', '1.36.4', '--source', source, '--arch', 'amd64', '--distro', 'debian-12'];
      await succeed(build, { cwd });
      const objects = join(cwd, '.cache/kubeparcel/objects');
      const kubelet = readdirSync(objects, { recursive: true, encoding: 'utf8' })
        .map((name) => join(objects, name))
        .sort((a, b) => statSync(b).size - statSync(a).size)[0];
      if (kubelet === undefined) throw new Error('the store is empty');
      // As a disk damages it, which sets no time.
      const { atime, mtime } = statSync(kubelet);
      const bytes = readFileSync(kubelet);
      bytes[99_999] = (bytes[99_999] ?? 0) ^ 1;
      chmodSync(kubelet, 0o644);
      writeFileSync(kubelet, bytes);
      utimesSync(kubelet, atime, mtime);
      const other = [...build, '--compression', codec, '--out', 'other'];
      await expectFailure(other, { cwd }, 5, 'run the command again');
      await succeed(other, { cwd });
    },
  );

  test('verify detects damage to every kind of file', async () => {
    const cwd = temporaryDirectory();
    const cache = join(cwd, '.cache/kubeparcel');
    const source = makeBinariesDirectory(join(cwd, 'binaries'), { kubelet: noise(1) });
    await succeed(['build', '1.36.4', '--source', source, '--arch', 'amd64', '--distro', 'debian-12'], { cwd });
    const damaged: string[] = [];
    for (const kind of ['built', 'index', 'objects', `packed/${BLOCK_RECIPE}/facts`]) {
      const [first = ''] = readdirSync(join(cache, kind), { recursive: true, encoding: 'utf8' }).filter((name) =>
        statSync(join(cache, kind, name)).isFile(),
      );
      chmodSync(join(cache, kind, first), 0o644);
      appendFileSync(join(cache, kind, first), 'x');
      damaged.push(`${kind}/${first}`);
    }
    const said = await succeed(['cache', 'verify'], { cwd });
    expect(said).toContain('removed 4 damaged');
    for (const path of damaged) expect(said).toContain(`  ${path}`);
    expect(await succeed(['cache', 'verify'], { cwd })).toContain('none is damaged');
    mkdirSync(join(cache, 'objects/ab/directory'), { recursive: true });
    await succeed(['cache', 'prune', '--all'], { cwd });
    expect(readdirSync(cache).filter((name) => /built|packed|index|objects|partial/.test(name))).toEqual([]);
    await expectFailure(['cache', 'prune', '--all', '--keep', '1G'], { cwd }, 2, 'cannot combine --keep with --all');
  });

  test('an invalid size is refused', async () => {
    await expectFailure(['cache', 'prune', '--keep', 'much'], { cwd: temporaryDirectory() }, 2, 'invalid size "much"');
  });
});

test('--fast uses the fastest compression that each target supports', async () => {
  const cwd = temporaryDirectory();
  const stdout = await succeed([...SAMPLE, '--fast', '--dry-run', '--distro', 'debian-11,debian-12,el-9'], { cwd });
  expect(stdout).toMatch(/debian-11 +gzip:1$/m);
  expect(stdout).toMatch(/debian-12 +zstd:3$/m);
  expect(stdout).toMatch(/el-9 +zstd:3$/m);
  await expectFailure(
    [...SAMPLE, '--fast', '--compression', 'xz'],
    { cwd },
    2,
    'cannot combine --fast with --compression',
  );
});
