import { chmod, copyFile, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { ensureDir } from 'fs-extra/esm';
import { KubeparcelError } from '../src/support/errors.ts';
import { cacheDirectory, checkDisk, removeStale, sumsOf, WORK_PREFIX } from './real-payload/cache.ts';
import { findPackage, findSource, openDebian, unpackPackages } from './real-payload/debian.ts';
import { debianGo } from './real-payload/go.ts';
import { compileKubernetes, generateOpenapi, unpackKubernetes } from './real-payload/kubernetes.ts';
import { CONTROL_PLANE, hostArchitecture, RECIPE, shortDigest } from './real-payload/recipe.ts';
import { isScript, run, runBuild, type Say, timed } from './run.ts';

export interface ControlPlane {
  /** etcd, kube-apiserver and kube-controller-manager, for this machine's architecture. */
  readonly directory: string;
  /** Whether it was in the cache. */
  readonly cached: boolean;
}

interface Options {
  readonly say?: Say | undefined;
  readonly signal?: AbortSignal | undefined;
}

const PROGRAMS = [basename(CONTROL_PLANE.etcd.program), ...CONTROL_PLANE.commands];
const SUMS = 'SHA256SUMS';

/**
 * Builds the programs of a control plane in the version of the real payload, for tests of kubeadm, or finds them in the
 * cache ($XDG_CACHE_HOME or ~/.cache, kubeparcel/real-payload/control-plane-RECIPE). kube-apiserver and
 * kube-controller-manager are compiled from Debian's source package, etcd is Debian's. Takes some minutes and needs
 * network access, but not root.
 *
 * @throws KubeparcelError if something is missing or fails
 */
export async function buildControlPlane(options: Options = {}): Promise<ControlPlane> {
  const say = options.say ?? ((line) => process.stderr.write(`control plane: ${line}\n`));
  const { signal } = options;
  const architecture = hostArchitecture();
  const cache = cacheDirectory();
  await ensureDir(cache);
  await removeStale(cache);

  const result = join(cache, `control-plane-${shortDigest([CONTROL_PLANE, RECIPE, architecture])}`);
  const directory = join(result, architecture);
  if (await isComplete(result)) {
    return { directory, cached: true };
  }
  await rm(result, { recursive: true, force: true });
  const work = await mkdtemp(join(cache, WORK_PREFIX));
  try {
    await checkDisk(work);
    const out = join(work, 'out', architecture);
    await ensureDir(out);
    await buildPrograms(out, work, say, signal);
    await writeFile(join(work, 'out', SUMS), await sumsOf(join(work, 'out')));
    await moveInto(join(work, 'out'), result);
  } finally {
    // Compilers of an interrupted Go may still write for a moment.
    await rm(work, { recursive: true, force: true, maxRetries: 10, retryDelay: 300 });
  }
  return { directory, cached: false };
}

async function isComplete(result: string): Promise<boolean> {
  try {
    return (await readFile(join(result, SUMS), 'utf8')) === (await sumsOf(result));
  } catch {
    return false;
  }
}

async function buildPrograms(out: string, work: string, say: Say, signal: AbortSignal | undefined): Promise<void> {
  const root = join(work, 'root');
  const debian = await timed(say, `fetching the index files of Debian ${RECIPE.suite}`, () =>
    openDebian(join(work, 'apt'), say, signal),
  );
  const names = [...RECIPE.go.packages, RECIPE.reflect2.package, CONTROL_PLANE.etcd.package];
  const packages = await Promise.all(names.map((name) => findPackage(debian, name)));
  const source = await findSource(debian, RECIPE.kubernetes.source, RECIPE.kubernetes.upstreamVersion);
  await timed(say, 'fetching and unpacking Go, reflect2, etcd and the source of Kubernetes', async () => {
    await unpackPackages(debian, packages, root);
    await unpackKubernetes(debian, source, root, work);
  });
  await copyFile(join(root, CONTROL_PLANE.etcd.program), join(out, basename(CONTROL_PLANE.etcd.program)));
  const go = await debianGo(work, root, signal);
  await timed(say, 'generating the OpenAPI definitions', () => generateOpenapi(work, go, signal));
  const { commands } = CONTROL_PLANE;
  await timed(say, `compiling ${commands.join(' and ')} with Go ${go.version}`, () =>
    compileKubernetes(work, go, commands, out, signal),
  );
  for (const name of await readdir(out)) {
    await chmod(join(out, name), 0o755);
  }
  await checkVersions(out, work, signal);
}

async function checkVersions(out: string, work: string, signal: AbortSignal | undefined): Promise<void> {
  for (const name of PROGRAMS) {
    const failure = `${name} does not run`;
    const hint = 'check what changed in the toolchain or in Debian';
    const output = await run(join(out, name), ['--version'], {
      cwd: work,
      environment: { PATH: process.env.PATH, HOME: work },
      signal,
      failure,
      kind: 'verification',
      hint,
      timeout: 60_000,
    });
    const expected = name === 'etcd' ? 'etcd Version: 3.' : `Kubernetes v${RECIPE.kubernetes.version}`;
    if (!output.startsWith(expected)) {
      throw new KubeparcelError('verification', `unexpected output of ${name} --version: ${JSON.stringify(output)}`, {
        hint,
      });
    }
  }
}

async function moveInto(built: string, result: string): Promise<void> {
  try {
    await rename(built, result);
  } catch (error) {
    // Another process stored the same programs first.
    if (!(await isComplete(result))) {
      throw error;
    }
  }
}

if (isScript(import.meta.url)) {
  await runBuild('control plane', (say, signal) => buildControlPlane({ say, signal }));
}
