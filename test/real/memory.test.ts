/** Measures the peak memory of building a payload of 1 GiB, compressible and not compressible. Run: npm run test:real */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { measure } from '../../scripts/measure.ts';
import { humanSize } from '../../src/cli/render/table.ts';
import { makeBinariesDirectory, noise, repetition } from '../support/binaries-directory.ts';
import { environment, MAIN } from '../support/cli.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const LIMIT = 400e6;

test('a kubelet of 1 GiB is packaged in less than 400 MB, as DEB and as RPM', async () => {
  const directory = temporaryDirectory();
  const source = makeBinariesDirectory(join(directory, 'release'), { kubelet: repetition(1024) });
  const { cwd, env } = environment(directory);
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

test.each(['zstd:1', 'gzip:1'])(
  'a kubelet of 1 GiB that does not compress is packaged in less than 400 MB: %s',
  async (codec) => {
    const directory = temporaryDirectory();
    const source = makeBinariesDirectory(join(directory, 'release'), { kubelet: noise(1024) });
    const { cwd, env } = environment(directory);
    const build = ['build', '--source', source, '--arch', 'amd64', '--distro', 'debian-12', '--without-confgen'];
    const { peakMemory } = await measure([process.execPath, MAIN, ...build, '--compression', codec], { cwd, env });
    process.stdout.write(`1 GiB of noise, ${codec}: peak ${humanSize(peakMemory)}\n`);
    expect(peakMemory).toBeLessThan(LIMIT);
  },
);
