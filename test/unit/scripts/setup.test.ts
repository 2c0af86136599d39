import { copyFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { packageRoot } from '../../../src/support/package-root.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const A = { version: '1.0.0', integrity: 'sha512-a' };
const OPTIONAL = { version: '2.0.0', integrity: 'sha512-b', optional: true };
const DEPENDENCIES = { a: '^1.0.0' };
const LOCK = {
  '': { dependencies: DEPENDENCIES },
  'node_modules/a': A,
  'node_modules/only-elsewhere': OPTIONAL,
};

/** A project with that lock and those installed packages; runs the script there with an npm that exits with `status`. */
async function setUp(installed: object | undefined, { dependencies = DEPENDENCIES as object, status = 0 } = {}) {
  const directory = temporaryDirectory();
  const put = (path: string, content: object) => writeFileSync(join(directory, path), JSON.stringify(content));
  mkdirSync(join(directory, 'scripts'));
  copyFileSync(join(packageRoot(), 'scripts', 'setup.mjs'), join(directory, 'scripts', 'setup.mjs'));
  put('package.json', { dependencies });
  put('package-lock.json', { packages: LOCK });
  if (installed !== undefined) {
    mkdirSync(join(directory, 'node_modules'));
    for (const path of Object.keys(installed)) mkdirSync(join(directory, path));
    put('node_modules/.package-lock.json', { packages: installed });
  }
  const called = join(directory, 'called');
  writeFileSync(join(directory, 'npm'), `#!/bin/sh\necho added 1 package\necho "$1" >'${called}'\nexit ${status}\n`, {
    mode: 0o755,
  });
  const env = { PATH: `${directory}${delimiter}${process.env.PATH}` };
  const { exitCode, stdout, stderr } = await execa('node', ['scripts/setup.mjs'], {
    cwd: directory,
    env,
    reject: false,
  });
  return { exitCode, stdout, stderr, installs: existsSync(called) };
}

const INSTALLS = { stdout: '', stderr: 'setup: installing dependencies (npm ci)', installs: true };

describe('npm run setup', () => {
  test.each([
    ['without an optional package of another platform', { 'node_modules/a': A }],
    ['with it', { 'node_modules/a': A, 'node_modules/only-elsewhere': OPTIONAL }],
  ])('does nothing when the packages of the lock are installed, %s', async (_, installed) => {
    expect(await setUp(installed)).toEqual({ exitCode: 0, stdout: '', stderr: '', installs: false });
  });

  test.each([
    ['nothing is installed', undefined],
    ['a package is missing', {}],
    ['a package has another version', { 'node_modules/a': { ...A, version: '1.0.1' } }],
    ['a package has another digest', { 'node_modules/a': { ...A, integrity: 'sha512-c' } }],
    ['an optional package has another version', { 'node_modules/a': A, 'node_modules/only-elsewhere': A }],
    ['a package is not in the lock', { 'node_modules/a': A, 'node_modules/c': A }],
  ])('runs npm ci when %s', async (_, installed) => {
    expect(await setUp(installed)).toEqual({ exitCode: 0, ...INSTALLS });
  });

  test('runs npm ci, which fails, when package.json has dependencies that the lock has not', async () => {
    const dependencies = { ...DEPENDENCIES, b: '^1.0.0' };
    expect(await setUp({ 'node_modules/a': A }, { dependencies, status: 1 })).toEqual({ exitCode: 1, ...INSTALLS });
  });
});
