/**
 * Runs npm ci unless node_modules already is what package-lock.json describes. Run: npm run setup
 *
 * Plain JavaScript without dependencies, because it runs before they are installed.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';

const root = new URL('../', import.meta.url);
const read = (path) => JSON.parse(readFileSync(new URL(path, root), 'utf8'));

if (!isInstalled()) {
  process.stderr.write('setup: installing dependencies (npm ci)\n');
  const { status, error } = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    // npm reports on standard output what it has installed, and errors on standard error.
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: process.platform === 'win32',
  });
  if (error !== undefined) process.stderr.write(`setup: ${error.message}\n`);
  process.exitCode = status ?? 1;
}

/** Whether the list that npm keeps in node_modules has the same packages as the lock; optional ones may be missing. */
function isInstalled() {
  const { '': project, ...wanted } = read('package-lock.json').packages;
  const { dependencies, devDependencies } = read('package.json');
  // If these differ, npm ci fails and explains it.
  if (!isDeepStrictEqual([project.dependencies, project.devDependencies], [dependencies, devDependencies]))
    return false;
  if (!existsSync(new URL('node_modules/.package-lock.json', root))) return false;
  const installed = read('node_modules/.package-lock.json').packages;
  return (
    Object.keys(installed).every((path) => path in wanted) &&
    Object.entries(wanted).every(([path, { version, integrity, optional }]) => {
      const found = installed[path];
      if (found === undefined) return optional === true;
      return found.version === version && found.integrity === integrity && existsSync(new URL(path, root));
    })
  );
}
