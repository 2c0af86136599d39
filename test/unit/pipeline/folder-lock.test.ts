import { readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { withFolderLock } from '../../../src/pipeline/folder-lock.ts';
import { temporaryFolder } from '../../support/temp-folder.ts';

test('one at a time, each of them, and nothing is left, also after a failure', async () => {
  const folder = temporaryFolder();
  let inside = 0;
  let most = 0;
  const work = (result: number) =>
    withFolderLock(folder, async () => {
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
  expect(readdirSync(folder)).toEqual([]);
});

test('a lock of another machine is waited for, but not for ever', async () => {
  const folder = temporaryFolder();
  const lock = join(folder, '.kubeparcel-lock');
  writeFileSync(lock, '.0123456789ab.1.0123456789ab');
  let entered = false;
  const waiting = withFolderLock(folder, async () => {
    entered = true;
  });
  await sleep(100);
  expect(entered).toBe(false);
  const old = Date.now() / 1000 - 120;
  utimesSync(lock, old, old);
  await waiting;
  expect(entered).toBe(true);
});
