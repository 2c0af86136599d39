/** The peak memory of building a payload of 1 GiB. Run: npm run test:real */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { measure } from '../../scripts/measure.ts';
import { humanSize } from '../../src/cli/render/table.ts';
import { makeBinariesFolder, repetition } from '../support/binaries-folder.ts';
import { environment, MAIN } from '../support/cli.ts';
import { temporaryFolder } from '../support/temp-folder.ts';

const LIMIT = 400e6;

test('a kubelet of 1 GiB is packaged in less than 400 MB, as DEB and as RPM', async () => {
  const folder = temporaryFolder();
  const source = makeBinariesFolder(join(folder, 'release'), { kubelet: repetition(1024) });
  const { cwd, env } = environment(folder);
  const build = ['build', '--source', source, '--arch', 'amd64', '--jobs', '1', '--without-confgen'];
  for (const format of ['deb', 'rpm']) {
    const { peakMemory, seconds } = await measure([process.execPath, MAIN, ...build, '--formats', format], {
      cwd,
      env,
    });
    process.stdout.write(`1 GiB as .${format}: ${seconds.toFixed(1)} s, peak ${humanSize(peakMemory)}\n`);
    expect(peakMemory).toBeLessThan(LIMIT);
  }
});
