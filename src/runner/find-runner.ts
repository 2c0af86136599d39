import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Architecture } from '../model/architecture.ts';
import { defaultStoreDirectory } from '../payload/store/content-store.ts';
import { packageRoot } from '../support/package-root.ts';
import { recipeDigest, runnersDirectory } from './recipe.ts';

/** Path of the bundled code of src/confgen, written by `npm run compile`. */
export function bundleFile(): string {
  return join(packageRoot(), 'lib/kubelet-confgen.js');
}

/** Directory of the runners in the npm package. */
export function packagedRunners(): string {
  return join(runnersDirectory(), 'bin');
}

export function cachedRunners(): string {
  return join(defaultStoreDirectory(), 'runners');
}

export function runnerName(architecture: Architecture): string {
  return `kubelet-confgen-runner-${architecture}`;
}

/**
 * Finds a runner built with the current recipe, first in the npm package, then in the cache. Prefers musl to glibc.
 *
 * @returns path of the runner, or undefined
 */
export async function findRunner(architecture: Architecture): Promise<string | undefined> {
  const recipe = await recipeDigest();
  for (const base of [packagedRunners(), cachedRunners()]) {
    // Directory names: RECIPE-LIBC-TOOLCHAIN
    const directories = (await namesIn(base)).filter((name) => name.startsWith(`${recipe}-`)).sort();
    for (const libc of ['musl', 'glibc']) {
      for (const directory of directories.filter((name) => name.startsWith(`${recipe}-${libc}-`))) {
        const path = join(base, directory, runnerName(architecture));
        if (await isFile(path)) return path;
      }
    }
  }
  return undefined;
}

async function namesIn(directory: string): Promise<string[]> {
  return readdir(directory).catch(() => []);
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (stats) => stats.isFile(),
    () => false,
  );
}
