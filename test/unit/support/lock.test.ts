import { existsSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { execa, execaSync } from 'execa';
import { expect, test, vi } from 'vitest';
import { withLock } from '../../../src/support/lock.ts';
import { ownedSuffix } from '../../../src/support/ownership.ts';
import { compileSupport } from '../../support/compile.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

test('one process holds the lock at a time, all get it, and the file is removed, also after a failure', async () => {
  const directory = temporaryDirectory();
  let inside = 0;
  let most = 0;
  const work = (result: number) =>
    withLock(join(directory, 'lock'), 'the test', async () => {
      inside += 1;
      most = Math.max(most, inside);
      await sleep(5);
      inside -= 1;
      if (result === 3) throw new Error('of the work');
      return result;
    });
  const ended = await Promise.allSettled([1, 2, 3, 4, 5].map(work));
  expect(ended.map((one) => (one.status === 'fulfilled' ? one.value : String(one.reason)))).toEqual([
    1,
    2,
    'Error: of the work',
    4,
    5,
  ]);
  expect(most).toBe(1);
  expect(readdirSync(directory)).toEqual([]);
});

test.each([
  ['a lock of another machine', '.0123456789ab.1.0123456789ab'],
  ['an empty lock, whose owner was killed before it wrote the file', ''],
])('%s is taken over if it was not touched for a minute', async (_, content) => {
  const lock = join(temporaryDirectory(), 'lock');
  writeFileSync(lock, content);
  let entered = false;
  const waiting = withLock(lock, 'the test', async () => {
    entered = true;
  });
  await sleep(100);
  expect(entered).toBe(false);
  const old = Date.now() / 1000 - 120;
  utimesSync(lock, old, old);
  await waiting;
  expect(entered).toBe(true);
});

test('an old lock of a running process of this machine is not taken over', async () => {
  const lock = join(temporaryDirectory(), 'lock');
  const own = ownedSuffix();
  writeFileSync(lock, own);
  const old = Date.now() / 1000 - 3600;
  utimesSync(lock, old, old);
  const waiting = withLock(lock, 'the test', async () => readFileSync(lock, 'utf8'));
  await sleep(200);
  expect(readFileSync(lock, 'utf8')).toBe(own);
  writeFileSync(lock, deadOwner(own));
  expect(await waiting).not.toBe(own);
});

test('a touched lock of another machine is not taken over if the clock of this machine is ahead', async () => {
  const lock = join(temporaryDirectory(), 'lock');
  const other = '.0123456789ab.1.0123456789ab';
  writeFileSync(lock, other);
  const start = Date.now();
  const clock = vi.spyOn(Date, 'now').mockImplementation(() => start + 120_000);
  const waiting = withLock(lock, 'the test', async () => readFileSync(lock, 'utf8'));
  await sleep(200);
  expect(readFileSync(lock, 'utf8')).toBe(other);
  clock.mockRestore();
  rmSync(lock);
  expect(await waiting).not.toBe(other);
});

test('a process that lost its lock while it was suspended does not remove the lock of the next owner', async () => {
  const lock = join(temporaryDirectory(), 'lock');
  const next = '.0123456789ab.1.0123456789ab';
  await withLock(lock, 'the test', async () => writeFileSync(lock, next));
  expect(readFileSync(lock, 'utf8')).toBe(next);
});

test('the lock is never visible without its owner', async () => {
  const directory = temporaryDirectory();
  const lock = join(directory, 'lock');
  let seen = 0;
  let polling = true;
  const poll = async () => {
    for (; polling; await setImmediate()) {
      const content = existsSync(lock) ? readIfPresent(lock) : undefined;
      if (content === undefined) continue;
      seen += 1;
      expect(content).not.toBe('');
    }
  };
  const polled = poll();
  for (let turn = 0; turn < 200; turn++) await withLock(lock, 'the test', async () => setImmediate());
  polling = false;
  await polled;
  expect(seen).toBeGreaterThan(0);
});

test('files that killed processes left next to the lock are removed, those of running processes are kept', async () => {
  const directory = temporaryDirectory();
  const own = ownedSuffix();
  const dead = deadOwner(own);
  writeFileSync(join(directory, `lock${dead}`), '');
  writeFileSync(join(directory, 'lock.claim-0123456789ab'), dead);
  writeFileSync(join(directory, `lock${own}`), own);
  writeFileSync(join(directory, 'lock.txt'), 'of the user');
  await withLock(join(directory, 'lock'), 'the test', async () => undefined);
  expect(readdirSync(directory).sort()).toEqual([`lock${own}`, 'lock.txt'].sort());
});

test('eight processes that contend for the lock of a dead owner hold it one at a time, in 100 trials', async () => {
  const child = compileSupport('locking-main.ts');
  try {
    const directory = temporaryDirectory();
    const contenders = Array.from({ length: 8 }, () => execa(process.execPath, [child.main, directory, '100']));
    const printed = await Promise.all(contenders.map(async (one) => (await one).stdout));
    expect(printed).toEqual(Array.from({ length: 8 }, () => '100 trials, 0 with two owners'));
    expect(readdirSync(directory).filter((name) => /^lock/.test(name))).toEqual([]);
  } finally {
    child.remove();
  }
}, 120_000);

function readIfPresent(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** The content of a lock whose owner, a process of this machine, has ended. */
function deadOwner(like: string): string {
  const pid = execaSync(process.execPath, ['-e', 'console.log(process.pid)']).stdout;
  return like.replace(/\.\d+\.([0-9a-f]{12})$/, `.${pid}.$1`);
}
