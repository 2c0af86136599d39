import { chmod, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { copy, ensureDir } from 'fs-extra/esm';
import type { Architecture } from '../src/model/architecture.ts';
import { KubeparcelError } from '../src/support/errors.ts';
import { checkAnswers } from './real-payload/answers.ts';
import { cacheDirectory, checkDisk, type Found, findCached, removeStale, WORK_PREFIX } from './real-payload/cache.ts';
import { type Debian, findPackage, findSource, openDebian, unpackPackages } from './real-payload/debian.ts';
import { type PayloadVersions, readMadeFrom, readSealedDirectory, sealDirectory } from './real-payload/directory.ts';
import {
  compileCrictl,
  compileKubernetes,
  debianGo,
  fetchCriTools,
  fetchGoForCrictl,
  type Go,
  installedGoForCrictl,
} from './real-payload/go.ts';
import { unpackKubernetes } from './real-payload/kubernetes-source.ts';
import { hostArchitecture, RECIPE, shortDigest } from './real-payload/recipe.ts';
import { type Say, timed } from './real-payload/run.ts';
import { isScript, runMaking } from './real-payload/script.ts';

export interface RealPayload {
  /** A directory of plain binaries per architecture: ARCH/{kubeadm,kubelet,kubectl,crictl}, ARCH/cni/, SHA256SUMS, release.yaml. */
  readonly directory: string;
  /** The one architecture that is in it: this machine's. */
  readonly architecture: Architecture;
  readonly versions: PayloadVersions;
  /** It was found in the cache. */
  readonly cached: boolean;
}

interface Options {
  readonly say?: Say;
  readonly signal?: AbortSignal;
}

interface Making {
  readonly cache: string;
  /** Temporary, beside the results. */
  readonly work: string;
  readonly architecture: Architecture;
  /** 16 hex digits over all that is asked for; what a result's name begins with. */
  readonly recipe: string;
  readonly say: Say;
  readonly signal: AbortSignal | undefined;
}

/**
 * Makes the real payload of this machine's architecture, or finds it in the cache ($XDG_CACHE_HOME or ~/.cache,
 * kubeparcel/real-payload/RECIPE-INPUTS): kubeadm, kubelet and kubectl compiled from Debian's source package, with
 * Debian's patches, by Debian's Go; Debian's CNI plugins as they are; crictl compiled from its Go module. Takes some
 * minutes, the network, and no root. Where Go modules cannot be reached crictl is left out, with warnings and with
 * `versions.criTools` undefined, and is tried again the next time.
 *
 * @throws KubeparcelError with what is missing or failed
 */
export async function makeRealPayload(options: Options = {}): Promise<RealPayload> {
  const say = options.say ?? ((line) => process.stderr.write(`real payload: ${line}\n`));
  const architecture = hostArchitecture();
  const recipe = shortDigest([RECIPE, architecture]);
  const cache = cacheDirectory();
  await ensureDir(cache);
  await removeStale(cache);

  const found = await findCached(cache, recipe, say);
  if (found?.versions.criTools !== undefined) {
    return { ...found, architecture, cached: true };
  }
  const work = await mkdtemp(join(cache, WORK_PREFIX));
  try {
    const making: Making = { cache, work, architecture, recipe, say, signal: options.signal };
    if (found !== undefined) {
      return { ...(await addCrictl(making, found)), architecture };
    }
    return { ...(await makeAll(making)), architecture, cached: false };
  } finally {
    // A stopped Go leaves compilers behind that still write for a moment.
    await rm(work, { recursive: true, force: true, maxRetries: 10, retryDelay: 300 });
  }
}

async function makeAll(making: Making): Promise<Found> {
  const { work, architecture, say, signal } = making;
  await checkDisk(work);
  const debian = await timed(say, `fetching the lists of Debian ${RECIPE.suite}`, () =>
    openDebian(join(work, 'apt'), say, signal),
  );
  const toolchain = await Promise.all(RECIPE.go.packages.map((name) => findPackage(debian, name)));
  const reflect2 = await findPackage(debian, RECIPE.reflect2.package);
  const plugins = await findPackage(debian, RECIPE.cniPlugins.package);
  const source = await findSource(debian, RECIPE.kubernetes.source, RECIPE.kubernetes.upstreamVersion);

  const root = join(work, 'root');
  const out = join(work, 'out', architecture);
  await ensureDir(join(out, 'cni'));
  await timed(say, 'fetching and unpacking Go, reflect2 and the CNI plugins', () =>
    unpackPackages(debian, [...toolchain, reflect2, plugins], root),
  );
  await timed(say, `fetching and unpacking the source of Kubernetes ${source.version}`, () =>
    unpackKubernetes(debian, source, root, work),
  );
  const go = await debianGo(work, root, signal);
  // Before the long step, so that a failure is seen early.
  const crictlGo = await makeCrictl(making, out, async () => go);
  // Two toolchains share no compiled package: the disk need not hold both caches.
  await Promise.all(['gocache', 'gopath/pkg'].map((path) => rm(join(work, path), { recursive: true, force: true })));

  const { commands } = RECIPE.kubernetes;
  await timed(say, `compiling ${commands.join(', ')} with Go ${go.version}`, () =>
    compileKubernetes(work, go, commands, out, signal),
  );
  await copy(join(root, RECIPE.cniPlugins.directory), join(out, 'cni'));

  const packages = [source, ...toolchain, reflect2, plugins];
  const versions: PayloadVersions = {
    kubernetes: RECIPE.kubernetes.version,
    cniPlugins: upstreamVersion(plugins.version),
    criTools: crictlGo === undefined ? undefined : RECIPE.criTools.version,
  };
  const madeFrom = [
    ...packages.map(({ name, version }) => `made from Debian ${RECIPE.suite}: ${name} ${version}`),
    ...crictlLine(crictlGo),
  ];
  return keep(making, versions, shortDigest([packages, go.version, crictlGo?.version ?? 'none']), madeFrom);
}

/** A cached payload without crictl, and the same with it where Go modules can be reached now. */
async function addCrictl(making: Making, found: Found): Promise<Found & Pick<RealPayload, 'cached'>> {
  const { work, architecture, say, signal } = making;
  const out = join(work, 'out', architecture);
  await copy(join(found.directory, architecture), out);
  let go: Go | undefined;
  try {
    go = await makeCrictl(making, out, async () => {
      const debian: Debian = await openDebian(join(work, 'apt'), say, signal);
      const packages = await Promise.all(RECIPE.go.packages.map((name) => findPackage(debian, name)));
      await unpackPackages(debian, packages, join(work, 'root'));
      return debianGo(work, join(work, 'root'), signal);
    });
  } catch (error) {
    if (!(error instanceof KubeparcelError) || error.kind !== 'network') {
      throw error;
    }
    warnMissing(say, error.message);
  }
  if (go === undefined) {
    return { ...found, cached: true };
  }
  const versions = { ...found.versions, criTools: RECIPE.criTools.version };
  const madeFrom = [...(await readMadeFrom(found.directory)), ...crictlLine(go)];
  const completed = await keep(making, versions, shortDigest([found.directory, go.version]), madeFrom);
  await rm(found.directory, { recursive: true, force: true });
  return { ...completed, cached: false };
}

/**
 * Puts crictl into `out`. With the Go that is installed here when it is new enough, else with one that `older`
 * fetches.
 *
 * @returns the Go that compiled it, or undefined where Go modules cannot be reached, which is said aloud
 */
async function makeCrictl(making: Making, out: string, older: () => Promise<Go>): Promise<Go | undefined> {
  const { work, architecture, say, signal } = making;
  const installed = await installedGoForCrictl(work, signal);
  const first = installed ?? (await older());
  if (!(await timed(say, 'fetching the module of cri-tools', () => fetchCriTools(work, first, say, signal)))) {
    warnMissing(say, 'Go modules cannot be reached');
    return undefined;
  }
  const go =
    installed ??
    (await timed(say, `fetching Go ${RECIPE.criTools.go}`, () => fetchGoForCrictl(work, architecture, first, signal)));
  await timed(say, `compiling crictl ${RECIPE.criTools.version} with Go ${go.version}`, () =>
    compileCrictl(work, go, out, signal),
  );
  return go;
}

function warnMissing(say: Say, reason: string): void {
  say(`WARNING: crictl ${RECIPE.criTools.version} IS MISSING from the payload: ${reason}`);
  say(
    'WARNING: cri-tools cannot be packaged from it; set GOPROXY to a module proxy that can be reached and run it again',
  );
}

function crictlLine(go: Go | undefined): string[] {
  const { module, version } = RECIPE.criTools;
  return go === undefined ? [] : [`made from the Go module ${module} v${version} by Go ${go.version}`];
}

/** Checks and seals work/out and gives it its name in the cache. */
async function keep(
  making: Making,
  versions: PayloadVersions,
  inputs: string,
  madeFrom: readonly string[],
): Promise<Found> {
  const { cache, work, architecture, recipe, say, signal } = making;
  const out = join(work, 'out');
  await setModes(join(out, architecture));
  await timed(say, 'asking the binaries', () => checkAnswers(join(out, architecture), work, signal));
  await sealDirectory(out, versions, RECIPE.kubernetes.date, madeFrom);
  const directory = join(cache, `${recipe}-${inputs}`);
  try {
    await rename(out, directory);
  } catch (error) {
    // Another process made the same and was first.
    if ((await readSealedDirectory(directory)) === undefined) {
      throw error;
    }
  }
  return { directory, versions };
}

/** Directories and binaries 0755, whatever the umask was. */
async function setModes(directory: string): Promise<void> {
  await chmod(directory, 0o755);
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    await (entry.isDirectory() ? setModes(path) : chmod(path, 0o755));
  }
}

/** 1.1.1+ds1-3+b5 -> 1.1.1 */
function upstreamVersion(debianVersion: string): string {
  return debianVersion.replace(/^\d+:/, '').replace(/[-+~].*$/, '');
}

if (isScript(import.meta.url)) {
  await runMaking('real payload', (say, signal) => makeRealPayload({ say, signal }));
}
