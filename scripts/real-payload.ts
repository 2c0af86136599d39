import { chmod, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { copy, ensureDir } from 'fs-extra/esm';
import type { Architecture } from '../src/model/architecture.ts';
import { KubeparcelError } from '../src/support/errors.ts';
import {
  cacheDirectory,
  checkDisk,
  type Found,
  findCached,
  type PayloadVersions,
  readSealedDirectory,
  readSources,
  removeStale,
  sealDirectory,
  WORK_PREFIX,
} from './real-payload/cache.ts';
import { checkBinaries } from './real-payload/check-binaries.ts';
import { type Debian, findPackage, findSource, openDebian, unpackPackages } from './real-payload/debian.ts';
import {
  compileCrictl,
  debianGo,
  fetchCriTools,
  fetchGoForCrictl,
  type Go,
  installedGoForCrictl,
} from './real-payload/go.ts';
import { compileKubernetes, unpackKubernetes } from './real-payload/kubernetes.ts';
import { hostArchitecture, RECIPE, shortDigest } from './real-payload/recipe.ts';
import { isScript, runBuild, type Say, timed } from './run.ts';

export interface RealPayload {
  /** Contains ARCH/{kubeadm,kubelet,kubectl,crictl}, ARCH/cni/, SHA256SUMS and release.yaml. */
  readonly directory: string;
  /** The architecture of this machine, the only one in the directory. */
  readonly architecture: Architecture;
  readonly versions: PayloadVersions;
  /** Whether it was in the cache. */
  readonly cached: boolean;
}

interface Options {
  readonly say?: Say | undefined;
  readonly signal?: AbortSignal | undefined;
}

interface Build {
  readonly cache: string;
  /** Temporary directory in the cache. */
  readonly work: string;
  readonly architecture: Architecture;
  /** 16 hex digits of a digest of the recipe: the beginning of the directory name. */
  readonly recipe: string;
  readonly say: Say;
  readonly signal: AbortSignal | undefined;
}

/**
 * Builds a real payload for this machine's architecture, or finds it in the cache ($XDG_CACHE_HOME or ~/.cache,
 * kubeparcel/real-payload/RECIPE-INPUTS). kubeadm, kubelet and kubectl are compiled from Debian's source package with
 * Debian's patches and Debian's Go; the CNI plugins are Debian's; crictl is compiled from its Go module. Takes some minutes
 * and needs network access, but not root. If the Go module proxy is not reachable, crictl is missing, `versions.criTools`
 * is undefined, and the next call tries again.
 *
 * @throws KubeparcelError if something is missing or fails
 */
export async function buildRealPayload(options: Options = {}): Promise<RealPayload> {
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
    const build: Build = { cache, work, architecture, recipe, say, signal: options.signal };
    if (found !== undefined) {
      return { ...(await addCrictl(build, found)), architecture };
    }
    return { ...(await buildAll(build)), architecture, cached: false };
  } finally {
    // Compilers of an interrupted Go may still write for a moment.
    await rm(work, { recursive: true, force: true, maxRetries: 10, retryDelay: 300 });
  }
}

async function buildAll(build: Build): Promise<Found> {
  const { work, architecture, say, signal } = build;
  await checkDisk(work);
  const debian = await timed(say, `fetching the index files of Debian ${RECIPE.suite}`, () =>
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
  // Before the long step, to fail early.
  const crictlGo = await buildCrictl(build, out, async () => go);
  // Saves disk space: the next toolchain cannot use these caches.
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
  const sources = [
    ...packages.map(({ name, version }) => `built from Debian ${RECIPE.suite}: ${name} ${version}`),
    ...crictlLine(crictlGo),
  ];
  return store(build, versions, shortDigest([packages, go.version, crictlGo?.version ?? 'none']), sources);
}

/** Adds crictl to a cached payload, if the Go module proxy is reachable now. */
async function addCrictl(build: Build, found: Found): Promise<Found & Pick<RealPayload, 'cached'>> {
  const { work, architecture, say, signal } = build;
  const out = join(work, 'out', architecture);
  await copy(join(found.directory, architecture), out);
  let go: Go | undefined;
  try {
    go = await buildCrictl(build, out, async () => {
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
  const sources = [...(await readSources(found.directory)), ...crictlLine(go)];
  const completed = await store(build, versions, shortDigest([found.directory, go.version]), sources);
  await rm(found.directory, { recursive: true, force: true });
  return { ...completed, cached: false };
}

/**
 * Compiles crictl into `out`, with the installed Go if it is new enough, else with a newer Go that `older` fetches.
 *
 * @returns the Go that compiled it; undefined, after a warning, if the Go module proxy is not reachable
 */
async function buildCrictl(build: Build, out: string, older: () => Promise<Go>): Promise<Go | undefined> {
  const { work, architecture, say, signal } = build;
  const installed = await installedGoForCrictl(work, signal);
  const first = installed ?? (await older());
  if (!(await timed(say, 'fetching the module of cri-tools', () => fetchCriTools(work, first, say, signal)))) {
    warnMissing(say, 'the Go module proxy is not reachable');
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
  say('WARNING: it cannot be used to build cri-tools; set GOPROXY to a reachable module proxy and run it again');
}

function crictlLine(go: Go | undefined): string[] {
  const { module, version } = RECIPE.criTools;
  return go === undefined ? [] : [`built from the Go module ${module} v${version} by Go ${go.version}`];
}

/** Checks and seals work/out, and moves it to its place in the cache. */
async function store(
  build: Build,
  versions: PayloadVersions,
  inputs: string,
  sources: readonly string[],
): Promise<Found> {
  const { cache, work, architecture, recipe, say, signal } = build;
  const out = join(work, 'out');
  await setModes(join(out, architecture));
  await timed(say, 'checking the binaries', () => checkBinaries(join(out, architecture), work, signal));
  await sealDirectory(out, versions, RECIPE.kubernetes.date, sources);
  const directory = join(cache, `${recipe}-${inputs}`);
  try {
    await rename(out, directory);
  } catch (error) {
    // Another process stored the same payload first.
    if ((await readSealedDirectory(directory)) === undefined) {
      throw error;
    }
  }
  return { directory, versions };
}

/** Sets the mode of directories and binaries to 0755, independently of the umask. */
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
  await runBuild('real payload', (say, signal) => buildRealPayload({ say, signal }));
}
