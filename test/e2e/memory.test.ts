import { accessSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { measure } from '../../scripts/measure.ts';
import { makeBinariesDirectory, repetition } from '../support/binaries-directory.ts';
import { directoryOfFile, environment, MAIN } from '../support/cli.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const TIME = '/usr/bin/time';

function hasGnuTime(): boolean {
  try {
    accessSync(TIME);
    return true;
  } catch {
    if (process.env.CI) throw new Error(`measuring peak memory needs ${TIME}, which is not installed`);
    return false;
  }
}

/** So large that the limit is exceeded when a payload or package is held in memory. test/real uses 1 GiB. */
const MEBIBYTES = 300;
const LIMIT = 400e6;
const source = join(directoryOfFile(), 'release');

describe.skipIf(!hasGnuTime())('memory does not grow with the payload', () => {
  beforeAll(() => {
    makeBinariesDirectory(source, { kubelet: repetition(MEBIBYTES) });
  });

  test.each([
    ['deb', undefined],
    ['rpm', undefined],
    // Without compression, the package is as large as the payload.
    ['deb', 'none'],
    ['rpm', 'none'],
  ])('%s with compression %s', async (format, codec) => {
    const { cwd, env } = environment(temporaryDirectory());
    const build = [
      'build',
      '--source',
      source,
      '--arch',
      'amd64',
      '--jobs',
      '1',
      '--formats',
      format,
      '--without-confgen',
    ];
    const flags = codec === undefined ? [] : ['--compression', codec];
    const { peakMemory } = await measure([process.execPath, MAIN, ...build, ...flags], { cwd, env });
    expect(peakMemory).toBeLessThan(LIMIT);
  });
});
