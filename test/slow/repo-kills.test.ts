import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { addPackages } from '../../src/repo/operations/add.ts';
import { verifyRepository } from '../../src/repo/verify/verify.ts';
import { openSigners } from '../../src/sign/open-keys.ts';
import { aptClient } from '../support/apt-client.ts';
import { directoryOfFile, everythingIn } from '../support/cli.ts';
import { compileSupport } from '../support/compile.ts';
import { writeReleases } from '../support/repo-packages.ts';
import { makeKey, type TestKey } from '../support/signing.ts';
import { hasTool } from '../support/tools.ts';

const KILLS = Number(process.env.KUBEPARCEL_TEST_KILLS ?? 200);
/** Repositories changed concurrently; one apt reads all of them. */
const AT_ONCE = 4;
/** Milliseconds; enough for several changes. */
const LONGEST = 500;

const directory = directoryOfFile();
const sites = Array.from({ length: AT_ONCE }, (_, number) => join(directory, `site-${number}`));
let child: ReturnType<typeof compileSupport>;
let key: TestKey;
let packages: string[];

beforeAll(async () => {
  child = compileSupport('repo-adding-main.ts');
  key = await makeKey(directory, 'packages');
  const built = join(directory, 'built');
  const first = await writeReleases(built, ['1.36.4'], ['kubelet']);
  packages = await writeReleases(built, ['1.36.5', '1.37.0', '1.37.1'], ['kubelet']);
  const signers = await openSigners([key.secret]);
  for (const site of sites) await addPackages(site, first, { channel: 'stable', signers });
}, 120_000);
afterAll(() => child?.remove());

/** Starts the child and kills it at a random moment after its start message. */
async function killOne(site: string): Promise<void> {
  const adding: ChildProcess = spawn(process.execPath, [child.main, site, key.secret, ...packages], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(adding, 'exit');
  if (adding.stdout !== null) await Promise.race([once(adding.stdout, 'data'), ended]);
  await sleep(Math.random() * LONGEST);
  adding.kill('SIGKILL');
  const [, signal] = await ended;
  expect(signal, 'it ended by itself').toBe('SIGKILL');
}

describe.skipIf(!hasTool('apt-get'))(`repo add, killed ${KILLS} times at random moments`, () => {
  test('leaves the old repository or the new one, for apt and for verify', { timeout: 900_000 }, async () => {
    const sources = sites.flatMap((site) => [`file:${site} stable main`, `file:${site}/core:/stable:/v1.36/deb ./`]);
    const apt = aptClient(join(directory, 'apt'), sources, key.public);
    let inTheMiddle = 0;
    for (let kills = 0; kills < KILLS; kills += AT_ONCE) {
      await Promise.all(sites.map(killOne));
      // Before verify recovers the repository.
      const { status, said } = apt.run('update');
      expect(status, said).toBe(0);
      for (const site of sites) {
        const hidden = readdirSync(join(site, '.kubeparcel'));
        if (hidden.some((name) => /^work\.|^journal/.test(name))) inTheMiddle += 1;
        for (const pointer of everythingIn(site).filter((path) => path.endsWith('rpm/stable/repodata'))) {
          expect(existsSync(join(site, pointer, 'repomd.xml.asc'))).toBe(true);
        }
        const { findings, keys } = await verifyRepository(site);
        expect(findings).toEqual([]);
        expect(keys).toEqual([key.fingerprint]);
        expect(readdirSync(join(site, '.kubeparcel')).sort()).toEqual(['cache', 'state.json']);
      }
    }
    // Most kills must have interrupted a change, otherwise the test proves nothing.
    expect(inTheMiddle).toBeGreaterThan(KILLS / 4);
  });
});
