import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { packageRoot } from '../../src/support/package-root.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

// The two check a lock differently: npm 11 requires the optional packages of every platform in it.
test.each(['10', '11'])('npm %s installs from package-lock.json, and no tracked file changes', async (major) => {
  const checkout = packageRoot();
  const directory = temporaryDirectory();
  const clone = join(directory, 'clone');
  const { stdout: tracked } = await execa('git', ['ls-files', '-z'], { cwd: checkout });
  for (const path of tracked.split('\0').filter((path) => path !== '' && existsSync(join(checkout, path)))) {
    mkdirSync(dirname(join(clone, path)), { recursive: true });
    copyFileSync(join(checkout, path), join(clone, path));
  }
  const run = (program: string, ...args: string[]) => execa(program, args, { cwd: clone, all: true, reject: false });
  await run('git', 'init', '--quiet');
  await run('git', 'add', '--all');

  const npm = ['--yes', `npm@${major}`];
  expect((await run('npx', ...npm, '--version')).stdout).toMatch(new RegExp(`^${major}\\.`));
  const ci = await run('npx', ...npm, 'ci', '--ignore-scripts', '--cache', join(directory, 'cache'));
  expect(ci.exitCode, ci.all).toBe(0);
  const compile = await run('npx', ...npm, 'run', 'compile');
  expect(compile.exitCode, compile.all).toBe(0);
  // npm run setup has nothing to install then.
  expect((await run('npx', ...npm, 'run', '--silent', 'setup')).all).toBe('');

  const lock = 'package-lock.json';
  expect(readFileSync(join(clone, lock), 'utf8')).toBe(readFileSync(join(checkout, lock), 'utf8'));
  const { stdout: status } = await run('git', 'status', '--porcelain');
  expect(status.split('\n').filter((line) => !line.startsWith('A  '))).toEqual([]);
});
