/**
 * Builds the runners of kubelet-confgen. Run: npm run runners [-- ARCHITECTURE... | --pack]
 *
 * Default: all architectures. --pack also copies the runners to runners/bin for the npm package.
 */
import { mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { copy, ensureDir } from 'fs-extra/esm';
import { ARCHITECTURES, type Architecture } from '../src/model/architecture.ts';
import { cachedRunners, findRunner, packagedRunners, runnerName } from '../src/runner/find-runner.ts';
import { recipeDigest } from '../src/runner/recipe.ts';
import { KubeparcelError } from '../src/support/errors.ts';
import { removeStale, WORK_PREFIX } from './real-payload/cache.ts';
import { isScript, reportErrors, type Say, timed } from './run.ts';
import { checkRunner } from './runners/check.ts';
import { compileRunner } from './runners/compile.ts';
import { unpackQuickJs } from './runners/source.ts';
import { findToolchains, type Toolchain } from './runners/toolchain.ts';

interface Options {
  readonly say: Say;
  /** Fetch musl if it is not installed. Otherwise the runner of this machine is built with the installed C library. */
  readonly fetchMusl: boolean;
}

/**
 * Builds missing runners and stores them in the cache as RECIPE-LIBC-TOOLCHAIN/NAME.
 *
 * @returns paths of the runners by architecture
 * @throws KubeparcelError with the reason and a hint for each runner that cannot be built; builds the others first
 */
export async function buildRunners(
  architectures: readonly Architecture[],
  { say, fetchMusl }: Options,
): Promise<Map<Architecture, string>> {
  const runners = new Map<Architecture, string>();
  const missing: Architecture[] = [];
  for (const each of architectures) {
    const found = await findRunner(each);
    // A glibc runner works, but a musl runner is smaller and can be distributed freely.
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
        runners.set(architecture, await build(architecture, toolchain, { cache, work, quickJs, say }));
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

async function build(
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
    say(`WARNING: the runner for ${architecture} was not tested (install qemu-user-static to run it)`);
  }
  const directory = join(cache, `${await recipeDigest()}-${libc}-${toolchain.digest}`);
  const path = join(directory, runnerName(architecture));
  await ensureDir(directory);
  await rename(compiled, path);
  return path;
}

/** Copies the runners into the npm package and removes those of former recipes. */
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

async function main(words: readonly string[], say: Say): Promise<void> {
  const names = words.filter((word) => word !== '--pack');
  const unknown = names.find((word) => !ARCHITECTURES.some((each) => each === word));
  if (unknown !== undefined) {
    throw new KubeparcelError('usage', `unknown architecture ${JSON.stringify(unknown)}`, {
      hint: `choose from ${ARCHITECTURES.join(', ')}`,
    });
  }
  const architectures = ARCHITECTURES.filter((each) => names.length === 0 || names.includes(each));
  const runners = await buildRunners(architectures, { say, fetchMusl: true });
  if (words.includes('--pack')) await pack(runners);
  else process.stdout.write([...runners.values()].map((path) => `${path}\n`).join(''));
}

if (isScript(import.meta.url)) {
  const say: Say = (line) => process.stderr.write(`runners: ${line}\n`);
  await reportErrors(say, () => main(process.argv.slice(2), say));
}
