import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { copy, emptyDir, ensureDir } from 'fs-extra/esm';
import semver from 'semver';
import { run } from '../run.ts';
import { type ArchivePackage, type Debian, unpackSource } from './debian.ts';
import { type Go, goEnvironment, makeGoDirectories } from './go.ts';
import { RECIPE } from './recipe.ts';

/**
 * Unpacks Debian's source package to work/gopath/src/k8s.io/kubernetes, ready to compile.
 *
 * @param root directory of the unpacked reflect2 package
 */
export async function unpackKubernetes(
  debian: Debian,
  source: ArchivePackage,
  root: string,
  work: string,
): Promise<void> {
  const tree = join(work, 'gopath/src/k8s.io/kubernetes');
  await ensureDir(dirname(tree));
  await unpackSource(debian, source, tree);
  // The vendored version 1.0.1 crashes: Go 1.18 changed the memory layout of maps.
  const vendored = join(tree, 'vendor/github.com/modern-go/reflect2');
  await emptyDir(vendored);
  await copy(join(root, RECIPE.reflect2.directory), vendored);
}

/**
 * Compiles commands of Kubernetes in GOPATH mode, in one call, so that they share packages.
 *
 * @param work directory with the source in gopath/src/k8s.io/kubernetes
 * @param commands names of directories in cmd/
 * @param into existing directory for the binaries
 */
export async function compileKubernetes(
  work: string,
  go: Go,
  commands: readonly string[],
  into: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  await makeGoDirectories(work);
  const packages = commands.map((command) => `k8s.io/kubernetes/cmd/${command}`);
  const args = ['build', '-trimpath', '-p', String(availableParallelism()), '-tags', RECIPE.kubernetes.tags];
  await run(go.command, [...args, '-ldflags', kubernetesLinkerFlags(), '-o', `${into}/`, ...packages], {
    ...treeOptions(work, go, signal),
    failure: 'cannot compile Kubernetes',
    hint: 'check that there are 3 GB of memory and disk space',
  });
}

/**
 * Generates pkg/generated/openapi/zz_generated.openapi.go like upstream's build/root/Makefile.generated_files.
 * kube-apiserver needs it, but source archives do not contain it.
 */
export async function generateOpenapi(work: string, go: Go, signal: AbortSignal | undefined): Promise<void> {
  await makeGoDirectories(work);
  const tree = treeOptions(work, go, signal);
  const hint = 'check what changed in the source of Kubernetes';
  const generator = join(work, 'openapi-gen');
  await run(go.command, ['build', '-trimpath', '-o', generator, './vendor/k8s.io/kube-openapi/cmd/openapi-gen'], {
    ...tree,
    failure: 'cannot compile the generator of OpenAPI definitions',
    hint,
  });
  const marked = await run('grep', ['-rlF', '--include=*.go', '+k8s:openapi-gen=', 'staging/src/k8s.io', 'pkg'], {
    ...tree,
    failure: 'no package has OpenAPI definitions',
    hint,
  });
  const directories = new Set(marked.split('\n').map((path) => dirname(path).replace(/^staging\/src\//, 'vendor/')));
  const packages = [...directories]
    .filter((directory) => !/\/(code-generator|sample-apiserver)(\/|$)/.test(directory))
    .map((directory) => `k8s.io/kubernetes/${directory}`)
    .sort();
  const options = [
    '-i',
    packages.join(','),
    '-p',
    'k8s.io/kubernetes/pkg/generated/openapi',
    '-O',
    'zz_generated.openapi',
  ];
  const header = ['-h', 'vendor/k8s.io/code-generator/hack/boilerplate.go.txt'];
  const output = ['-r', join(work, 'violations'), '--output-base', join(work, 'gopath/src')];
  await run(generator, [...options, ...header, ...output], {
    ...tree,
    failure: 'cannot generate the OpenAPI definitions',
    hint,
  });
}

function treeOptions(work: string, go: Go, signal: AbortSignal | undefined) {
  return {
    cwd: join(work, 'gopath/src/k8s.io/kubernetes'),
    environment: goEnvironment(work, go, { GOENV: 'off', GO111MODULE: 'off', GOPROXY: 'off' }),
    signal,
    kind: 'io',
  } as const;
}

/** The values that upstream's hack/lib/version.sh sets for a source archive. */
function kubernetesLinkerFlags(): string {
  const { version, commit, date, linkerFlags } = RECIPE.kubernetes;
  const values = {
    buildDate: `${date}T00:00:00Z`,
    gitCommit: commit,
    gitTreeState: 'archive',
    gitVersion: `v${version}`,
    gitMajor: String(semver.major(version)),
    gitMinor: String(semver.minor(version)),
  };
  const flags = ['k8s.io/client-go/pkg/version', 'k8s.io/component-base/version'].flatMap((name) =>
    Object.entries(values).map(([key, value]) => `-X k8s.io/kubernetes/vendor/${name}.${key}=${value}`),
  );
  return [linkerFlags, ...flags].join(' ');
}
