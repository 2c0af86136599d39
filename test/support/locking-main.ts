/**
 * A process that contends for a lock: locking-main DIRECTORY TRIALS. All processes wait for each other before each trial;
 * one of them then writes the lock of a dead owner. Prints how often two processes held the lock at the same time.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { withLock } from '../../src/support/lock.ts';
import { ownedSuffix } from '../../src/support/ownership.ts';

const CONTENDERS = 8;
const [directory = '.', trials = '1'] = process.argv.slice(2);
const deadPid = spawnSync(process.execPath, ['-e', '']).pid;
let two = 0;

for (let trial = 0; trial < Number(trials); trial++) {
  const lock = join(directory, `lock-${trial}`);
  await meet(`before-${trial}`, () => {
    writeFileSync(`${lock}.new`, ownedSuffix().replace(/\.\d+\.([0-9a-f]{12})$/, `.${deadPid}.$1`));
    renameSync(`${lock}.new`, lock);
  });
  await withLock(lock, 'the test', async () => {
    const inside = join(directory, `inside-${trial}`);
    try {
      mkdirSync(inside);
      await sleep(1);
    } catch {
      two += 1;
    } finally {
      rmSync(inside, { recursive: true, force: true });
    }
  });
  await meet(`after-${trial}`, () => {});
}
process.stdout.write(`${trials} trials, ${two} with two owners\n`);

/** Waits until all contenders are there. Exactly one of them runs `last` before the others go on. */
async function meet(place: string, last: () => void): Promise<void> {
  const path = join(directory, place);
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, String(process.pid)), '');
  for (;;) {
    const names = readdirSync(path);
    if (names.includes('open')) return;
    if (names.filter((name) => name !== 'chosen').length >= CONTENDERS) {
      try {
        mkdirSync(join(path, 'chosen'));
        last();
        writeFileSync(join(path, 'open'), '');
        return;
      } catch {
        // Another contender was chosen.
      }
    }
    await sleep(1);
  }
}
