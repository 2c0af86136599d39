/**
 * Runs the tests in containers. Run: npm run test:containers [-- VITEST-ARGUMENT...]; npm test runs it with --quick
 *
 * --quick: only a quick part where CI is not set, and where containers cannot be had, what is left out, why, and how to
 * get it. Where CI is set everything is run, what is missing is installed first, and what cannot be run is a failure.
 */
import { join } from 'node:path';
import { execa } from 'execa';
import type { Engine } from '../src/container/engine.ts';
import { findEngine } from '../src/container/find-engine.ts';
import { KubeparcelError } from '../src/support/errors.ts';
import { packageRoot } from '../src/support/package-root.ts';
import { setUpContainers, waysToInstall } from './setup-containers.ts';

const QUICK = 'test/container/quick.test.ts';

const given = process.argv.slice(2);
const complete = Boolean(process.env.CI) || !given.includes('--quick');
const say = (line: string) => process.stdout.write(`containers: ${line}\n`);

const found = await usableEngine();
if (found instanceof KubeparcelError) {
  process.stdout.write(`\n${await leftOut(found)}\n\n`);
  if (complete) process.exitCode = 1;
} else {
  for (const note of found.notes) say(note);
  const [program, config] = [join('node_modules', 'vitest', 'vitest.mjs'), 'vitest.container.config.ts'];
  const files = complete ? [] : [QUICK];
  const args = [program, 'run', '--config', config, ...files, ...given.filter((word) => word !== '--quick')];
  const options = { cwd: packageRoot(), stdio: 'inherit', reject: false } as const;
  const { exitCode } = await execa(process.execPath, args, options);
  if (!complete) say('this was the quick part; the rest: npm run test:containers');
  process.exitCode = exitCode ?? 1;
}

/** An engine in which systemd can be PID 1, or what stands against it. Where CI is set, what is missing comes first. */
async function usableEngine(): Promise<Engine | KubeparcelError> {
  if (process.env.CI && 'prefix' in (await waysToInstall())) {
    await setUpContainers(say).catch((error: unknown) => say(error instanceof Error ? error.message : String(error)));
  }
  return await engineOrProblem();
}

async function engineOrProblem(): Promise<Engine | KubeparcelError> {
  try {
    const engine = await findEngine();
    if (engine.withoutSystemd === undefined) return engine;
    return new KubeparcelError('usage', `${engine.name} cannot run systemd here: ${engine.withoutSystemd}`, {
      hint: 'run them on another machine or as another user: docs/containers.md',
    });
  } catch (error) {
    if (error instanceof KubeparcelError) return error;
    throw error;
  }
}

async function leftOut({ message, hint }: KubeparcelError): Promise<string> {
  const can = 'prefix' in (await waysToInstall());
  return [
    'LEFT OUT: the tests in containers (test/container): packages installed, run,',
    'upgraded and removed under systemd, planted faults, and --assemble container.',
    `  why:    ${message}`,
    `  hint:   ${can ? 'npm run setup:containers' : (hint ?? 'install podman or docker')}; then npm run test:containers`,
    ...(complete ? ['  They must run here: this is a failure.'] : []),
  ].join('\n');
}
