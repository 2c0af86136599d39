import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { beforeAll, describe, expect, test } from 'vitest';
import { readPackage } from '../../src/pipeline/read-package.ts';
import { ownedSuffix } from '../../src/support/ownership.ts';
import { makeBinariesDirectory, noise } from '../support/binaries-directory.ts';
import { directoryOfFile, everythingIn, packagesIn, run, start, succeed } from '../support/cli.ts';
import { objectsIn } from '../support/release-fixture.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const SIZE = 24;
const source = join(directoryOfFile(), 'release');
const BUILD = ['build', '--source', source, '--arch', 'amd64', '--json', '--compression', 'gzip:1'];
let reference: Record<string, string>;

beforeAll(async () => {
  makeBinariesDirectory(source, { kubelet: noise(SIZE) });
  const cwd = join(source, '..', 'reference');
  mkdirSync(cwd);
  await succeed(BUILD, { cwd });
  reference = packagesIn(join(cwd, 'dist'));
});

/** Runs a build and sends a signal when the event has come so often. */
async function buildAndSend(signal: NodeJS.Signals, event: string, times: number, cwd: string) {
  const building = start(BUILD, { cwd });
  let count = 0;
  let sent = false;
  for await (const line of building.iterable({ from: 'stdout' })) {
    if (line.startsWith(`{"event":"${event}"`)) count += 1;
    if (count === times && !sent) {
      sent = true;
      building.kill(signal);
    }
  }
  const { exitCode, signal: endedBy, stderr } = await building;
  expect(sent, `${event} came only ${count} times`).toBe(true);
  return { exitCode, endedBy, stderr };
}

/** Every package under its final name is readable and the same as from an undisturbed run. */
async function expectOnlyCompletePackages(dist: string): Promise<void> {
  for (const [name, sha256] of Object.entries(packagesIn(dist))) {
    expect(sha256, name).toBe(reference[name]);
    await readPackage(join(dist, name));
  }
  if (existsSync(join(dist, 'SHA256SUMS'))) {
    for (const line of readFileSync(join(dist, 'SHA256SUMS'), 'utf8').split('\n').filter(Boolean)) {
      const [sha256 = '', name = ''] = line.split('  ');
      expect(sha256).toBe(reference[name]);
    }
  }
}

function leftovers(cwd: string): string[] {
  const store = join(cwd, '.cache', 'kubeparcel');
  const hidden = everythingIn(join(cwd, 'dist')).filter((path) => path.startsWith('.'));
  return [...hidden, ...everythingIn(join(store, 'tmp'))];
}

const INTERRUPTIONS: [event: string, times: number][] = [
  ['download', 1],
  ['progress', 1],
  ['packing', 1],
  ['packing-progress', 2],
  ['packed', 3],
];

describe('a signal', () => {
  const sent = INTERRUPTIONS.map(([event, times], index) => [index % 2 ? 'SIGTERM' : 'SIGINT', event, times] as const);
  test.each(sent)('%s at %s (%i) ends with 130 and leaves no incomplete files', async (signal, event, times) => {
    const cwd = temporaryDirectory();
    const { exitCode, stderr } = await buildAndSend(signal, event, times, cwd);
    expect(stderr).toBe('kubeparcel: interrupted; removed incomplete files');
    expect(exitCode).toBe(130);
    expect(leftovers(cwd)).toEqual([]);
    await expectOnlyCompletePackages(join(cwd, 'dist'));
  });
});

describe('kill -9', () => {
  test.each(INTERRUPTIONS)(
    'at %s (%i) leaves only complete packages, and the next run removes temporary files',
    async (event, times) => {
      const cwd = temporaryDirectory();
      const { endedBy } = await buildAndSend('SIGKILL', event, times, cwd);
      expect(endedBy).toBe('SIGKILL');
      await expectOnlyCompletePackages(join(cwd, 'dist'));
      await succeed(BUILD, { cwd });
      expect(packagesIn(join(cwd, 'dist'))).toEqual(reference);
      expect(leftovers(cwd)).toEqual([]);
      expect(readdirSync(join(cwd, '.cache', 'kubeparcel', 'partial'))).toEqual([]);
    },
  );

  test('while packing leaves a temporary file and complete objects', async () => {
    const cwd = temporaryDirectory();
    await buildAndSend('SIGKILL', 'packing-progress', 1, cwd);
    expect(readdirSync(join(cwd, 'dist'))).toEqual([expect.stringMatching(/^\.kubeparcel\./)]);
    expect(objectsIn(join(cwd, '.cache', 'kubeparcel'))).not.toEqual([]);
  });
});

test('an interrupted layout command leaves no directory', async () => {
  const cwd = temporaryDirectory();
  const writing = start(['layout', '--source', source, '--arch', 'amd64', '--json'], { cwd });
  for await (const line of writing.iterable({ from: 'stdout' })) {
    if (line.startsWith('{"event":"unpacked"') && line.includes('"name":"kubelet"')) writing.kill('SIGINT');
  }
  expect((await writing).exitCode).toBe(130);
  expect(everythingIn(join(cwd, 'layouts')).filter((path) => path.startsWith('.'))).toEqual([]);
});

describe('at the same time', () => {
  test('two builds into one cache and one directory both succeed, and SHA256SUMS has the packages of both', async () => {
    const cwd = temporaryDirectory();
    const both = await Promise.all(['deb', 'rpm'].map((format) => run([...BUILD, '--formats', format], { cwd })));
    for (const { exitCode, stderr } of both) expect(exitCode, stderr).toBe(0);
    expect(packagesIn(join(cwd, 'dist'))).toEqual(reference);
    expect(readFileSync(join(cwd, 'dist', 'SHA256SUMS'), 'utf8').split('\n')).toHaveLength(11);
    expect(leftovers(cwd)).toEqual([]);
  });

  test('four builds of the same packages succeed', async () => {
    const cwd = temporaryDirectory();
    const sample = ['build', '--source', 'sample', '--arch', 'amd64'];
    const all = await Promise.all([1, 2, 3, 4].map(() => run(sample, { cwd })));
    for (const { exitCode, stderr } of all) expect(exitCode, stderr).toBe(0);
    expect(everythingIn(join(cwd, 'dist'))).toHaveLength(11);
  });

  test('a build succeeds despite the lock of a killed run', async () => {
    const cwd = temporaryDirectory();
    const { pid } = await execa('sh', ['-c', 'echo $$']).then(({ stdout }) => ({ pid: stdout }));
    mkdirSync(join(cwd, 'dist'));
    writeFileSync(join(cwd, 'dist', '.kubeparcel-lock'), ownedSuffix().replace(`.${process.pid}.`, `.${pid}.`));
    await succeed(['build', '--source', 'sample', '--arch', 'amd64', '--packages', 'kubelet'], { cwd });
    expect(everythingIn(join(cwd, 'dist'))).toHaveLength(3);
  });
});
