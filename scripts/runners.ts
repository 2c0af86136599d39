/**
 * Makes the runners of kubelet-confgen. Run: npm run runners [-- ARCHITECTURE... | --pack]
 *
 * Without an architecture it makes all four. --pack also copies them to runners/bin, for the npm package.
 */
import { realpathSync } from 'node:fs';
import { mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { copy, ensureDir } from 'fs-extra/esm';
import { ARCHITECTURES, type Architecture } from '../src/model/architecture.ts';
import { cachedRunners, findRunner, packagedRunners, runnerName } from '../src/runner/find-runner.ts';
import { recipeDigest } from '../src/runner/recipe.ts';
import { EXIT_STATUS, KubeparcelError } from '../src/support/errors.ts';
import { removeStale, WORK_PREFIX } from './real-payload/cache.ts';
import { type Say, timed } from './real-payload/run.ts';
import { checkRunner } from './runners/check.ts';
import { compileRunner } from './runners/compile.ts';
import { unpackQuickJs } from './runners/source.ts';
import { findToolchains, type Toolchain } from './runners/toolchain.ts';

interface Options {
  readonly say: Say;
  /** Fetch musl where it is not installed; else this machine's own runner is made with what there is. */
  readonly fetchMusl: boolean;
}

/**
 * Makes those runners that are not there yet, and keeps them in the cache as RECIPE-LIBC-TOOLCHAIN/NAME.
 *
 * @returns by architecture the path of the runner
 * @throws KubeparcelError that says of each one that cannot be made why, and what to do; the others are made first
 */
export async function makeRunners(
  architectures: readonly Architecture[],
  { say, fetchMusl }: Options,
): Promise<Map<Architecture, string>> {
  const runners = new Map<Architecture, string>();
  const missing: Architecture[] = [];
  for (const each of architectures) {
    const found = await findRunner(each);
    // A runner with glibc does, but one with musl is smaller and free to publish.
    if (found === undefined || (fetchMusl && basename(dirname(found)).includes('-glibc-'))) missing.push(each);
    if (found !== undefined) runners.set(each, found);
  }
  if (missing.length === 0) return runners;
  const cache = cachedRunners();
  await ensureDir(cache);
  await removeStale(cache);
  const work = await mkdtemp(join(cache, WORK_PREFIX));
  try {
    const problems: KubeparcelError[] = [];
    const toolchains = await findToolchains(missing, { work, fetch: fetchMusl, say });
    const usable: [Architecture, Toolchain][] = [];
    for (const [architecture, found] of toolchains) {
      if (!(found instanceof KubeparcelError)) usable.push([architecture, found]);
      else if (!runners.has(architecture)) problems.push(found);
    }
    if (usable.length > 0) {
      const quickJs = join(work, 'quickjs');
      await unpackQuickJs(quickJs, cache, work, say);
      for (const [architecture, toolchain] of usable) {
        runners.set(architecture, await make(architecture, toolchain, { cache, work, quickJs, say }));
      }
    }
    const [first] = problems;
    if (first !== undefined) {
      const hint = [...new Set(problems.map((problem) => problem.hint ?? ''))].join('; ');
      throw new KubeparcelError(first.kind, problems.map(({ message }) => message).join('; '), { hint });
    }
    return runners;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function make(
  architecture: Architecture,
  toolchain: Toolchain,
  { cache, work, quickJs, say }: { cache: string; work: string; quickJs: string; say: Say },
): Promise<string> {
  const libc = toolchain.musl === undefined ? 'glibc' : 'musl';
  const compiled = join(work, `compiled-${architecture}`);
  await timed(say, `compiling the runner for ${architecture} with ${libc}`, () =>
    compileRunner(architecture, toolchain, quickJs, compiled),
  );
  if (!(await checkRunner(architecture, compiled, join(work, `check-${architecture}`)))) {
    say(
      `WARNING: the runner for ${architecture} was not tried: nothing here runs it (apt-get install qemu-user-static)`,
    );
  }
  const directory = join(cache, `${await recipeDigest()}-${libc}-${toolchain.digest}`);
  const path = join(directory, runnerName(architecture));
  await ensureDir(directory);
  await rename(compiled, path);
  return path;
}

/** Lets an npm package carry the runners; those of former recipes go. */
async function pack(runners: ReadonlyMap<Architecture, string>): Promise<void> {
  const target = packagedRunners();
  const names = new Set([...runners.values()].map((path) => basename(dirname(path))));
  await ensureDir(target);
  for (const name of await readdir(target)) {
    if (!names.has(name)) await rm(join(target, name), { recursive: true });
  }
  for (const path of runners.values()) {
    const packaged = join(target, basename(dirname(path)), basename(path));
    if (packaged !== path) await copy(path, packaged);
  }
}

async function main(words: readonly string[]): Promise<void> {
  const wanted = words.filter((word) => word !== '--pack');
  const strange = wanted.find((word) => !ARCHITECTURES.some((each) => each === word));
  if (strange !== undefined) {
    throw new KubeparcelError('usage', `no architecture: ${strange}`, {
      hint: `name some of ${ARCHITECTURES.join(', ')}`,
    });
  }
  const architectures = ARCHITECTURES.filter((each) => wanted.length === 0 || wanted.includes(each));
  const say: Say = (line) => process.stderr.write(`runners: ${line}\n`);
  const runners = await makeRunners(architectures, { say, fetchMusl: true });
  if (words.includes('--pack')) await pack(runners);
  else process.stdout.write([...runners.values()].map((path) => `${path}\n`).join(''));
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  try {
    await main(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof KubeparcelError)) throw error;
    const where = error.where === undefined ? '' : `\n  where: ${error.where}`;
    const hint = error.hint === undefined ? '' : `\n  hint: ${error.hint}`;
    process.stderr.write(`runners: ${error.message}${where}${hint}\n`);
    process.exitCode = EXIT_STATUS[error.kind];
  }
}
