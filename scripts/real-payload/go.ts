import { chmod, readdir, rename } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { copy, ensureDir } from 'fs-extra/esm';
import semver from 'semver';
import { KubeparcelError } from '../../src/support/errors.ts';
import { RECIPE } from './recipe.ts';
import { type Run, run, type Say } from './run.ts';

/** A Go toolchain. */
export interface Go {
  /** The `go` command: a path, or a name that PATH finds. */
  readonly command: string;
  /** GOROOT, where the command cannot find it itself. */
  readonly root: string | undefined;
  /** 1.19.8 */
  readonly version: string;
}

/** Variables of the user's that say where modules come from; no other GO variable may change what is built. */
const KEPT_VARIABLES = new Set([
  'GOPROXY',
  'GOSUMDB',
  'GONOSUMDB',
  'GONOPROXY',
  'GOPRIVATE',
  'GOINSECURE',
  'GOENV',
  'GOAUTH',
]);

const TODO_MODULES = 'Check the network and GOPROXY, then run it again.';

/** The environment for a Go command whose caches all lie in the work directory. */
function goEnvironment(work: string, go: Go, more: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^C?GO/.test(name) || KEPT_VARIABLES.has(name));
  return {
    ...Object.fromEntries(kept),
    ...(go.root === undefined ? {} : { GOROOT: go.root }),
    GOPATH: join(work, 'gopath'),
    GOCACHE: join(work, 'gocache'),
    GOTMPDIR: join(work, 'tmp'),
    TMPDIR: join(work, 'tmp'),
    GOTOOLCHAIN: 'local',
    GOMAXPROCS: String(availableParallelism()),
    CGO_ENABLED: '0',
    ...more,
  };
}

async function prepare(work: string): Promise<void> {
  for (const part of ['gopath/src', 'gocache', 'tmp']) await ensureDir(join(work, part));
}

/** The toolchain that unpackPackages put into `directory`. */
export async function debianGo(work: string, directory: string, signal: AbortSignal | undefined): Promise<Go> {
  const root = join(directory, RECIPE.go.root);
  return withVersion(work, { command: join(root, 'bin', 'go'), root, version: '' }, signal);
}

async function withVersion(work: string, go: Go, signal: AbortSignal | undefined): Promise<Go> {
  await prepare(work);
  const version = await run(go.command, ['env', 'GOVERSION'], {
    cwd: work,
    environment: goEnvironment(work, go, { GOFLAGS: '-trimpath' }),
    signal,
    failure: 'Go does not answer',
    kind: 'io',
    hint: 'Try `go version`.',
  });
  return { ...go, version: version.trim().replace(/^go/, '').split(' ')[0] ?? '' };
}

/** The `go` that PATH finds, when it is new enough for cri-tools. */
export async function installedGoForCrictl(work: string, signal: AbortSignal | undefined): Promise<Go | undefined> {
  try {
    const go = await withVersion(work, { command: 'go', root: undefined, version: '' }, signal);
    const version = semver.coerce(go.version);
    return version !== null && semver.gte(version, RECIPE.criTools.go) ? go : undefined;
  } catch (error) {
    if (error instanceof KubeparcelError) {
      return undefined;
    }
    throw error;
  }
}

/**
 * Compiles commands of Kubernetes, in GOPATH mode and in one call, so that they share packages.
 *
 * @param work where gopath/src/k8s.io/kubernetes is the prepared source
 * @param commands names of directories of cmd
 * @param into directory for the binaries; must exist
 */
export async function compileKubernetes(
  work: string,
  go: Go,
  commands: readonly string[],
  into: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  await prepare(work);
  const packages = commands.map((command) => `k8s.io/kubernetes/cmd/${command}`);
  const args = ['build', '-trimpath', '-p', String(availableParallelism()), '-tags', RECIPE.kubernetes.tags];
  await run(go.command, [...args, '-ldflags', kubernetesLinkerFlags(), '-o', `${into}/`, ...packages], {
    ...inTree(work, go, signal),
    failure: 'Kubernetes could not be compiled',
    hint: 'It takes about 3 GB of memory and of disk: see whether there is as much.',
  });
}

/**
 * Writes pkg/generated/openapi/zz_generated.openapi.go, which kube-apiserver needs and no archive of the source holds, as
 * upstream's build/root/Makefile.generated_files does.
 */
export async function generateOpenapi(work: string, go: Go, signal: AbortSignal | undefined): Promise<void> {
  await prepare(work);
  const tree = inTree(work, go, signal);
  const hint = 'See what changed in the source of Kubernetes.';
  const generator = join(work, 'openapi-gen');
  await run(go.command, ['build', '-trimpath', '-o', generator, './vendor/k8s.io/kube-openapi/cmd/openapi-gen'], {
    ...tree,
    failure: 'The generator of OpenAPI definitions could not be compiled',
    hint,
  });
  const marked = await run('grep', ['-rlF', '--include=*.go', '+k8s:openapi-gen=', 'staging/src/k8s.io', 'pkg'], {
    ...tree,
    failure: 'No package asks for OpenAPI definitions',
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
    failure: 'OpenAPI definitions could not be generated',
    hint,
  });
}

function inTree(work: string, go: Go, signal: AbortSignal | undefined) {
  return {
    cwd: join(work, 'gopath/src/k8s.io/kubernetes'),
    environment: goEnvironment(work, go, { GOENV: 'off', GO111MODULE: 'off', GOPROXY: 'off' }),
    signal,
    kind: 'io',
  } as const;
}

/** As upstream's hack/lib/version.sh sets them, for a tree that comes from an archive. */
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

/**
 * Whether Go modules can be reached here: fetches cri-tools' own module.
 *
 * @throws KubeparcelError of kind 'verification' when what was reached is not what the checksum database knows
 */
export async function fetchCriTools(work: string, go: Go, say: Say, signal: AbortSignal | undefined): Promise<boolean> {
  const { module, version } = RECIPE.criTools;
  try {
    await run(go.command, ['mod', 'download', `${module}@v${version}`], {
      ...modules(work, go, signal),
      failure: `The Go module ${module} cannot be reached`,
      timeout: 180_000,
    });
    return true;
  } catch (error) {
    if (!(error instanceof KubeparcelError) || error.kind !== 'network') {
      throw error;
    }
    if (/SECURITY ERROR|checksum mismatch/.test(error.message)) {
      throw new KubeparcelError('verification', error.message, {
        hint: 'The module proxy gives other bytes than the checksum database knows: do not use it.',
        cause: error,
      });
    }
    say(error.message);
    return false;
  }
}

/**
 * A Go that is new enough for cri-tools, as the module golang.org/toolchain, which is how Go fetches its own newer
 * versions (go.dev/doc/toolchain); an older Go can unpack it but does not know the last steps, done here.
 */
export async function fetchGoForCrictl(
  work: string,
  architecture: string,
  older: Go,
  signal: AbortSignal | undefined,
): Promise<Go> {
  const version = RECIPE.criTools.go;
  const name = `golang.org/toolchain@v0.0.1-go${version}.linux-${architecture}`;
  await run(older.command, ['mod', 'download', name], {
    ...modules(work, older, signal),
    failure: `The Go toolchain ${version} could not be fetched`,
  });
  const root = join(work, 'gopath/pkg/mod', name);
  for (const directory of ['bin', `pkg/tool/linux_${architecture}`]) {
    for (const file of await readdir(join(root, directory))) {
      await chmod(join(root, directory, file), 0o755);
    }
  }
  // A module cannot hold another's go.mod under that name.
  for (const directory of ['src', 'src/cmd']) {
    await rename(join(root, directory, '_go.mod'), join(root, directory, 'go.mod'));
  }
  return withVersion(work, { command: join(root, 'bin', 'go'), root, version: '' }, signal);
}

/**
 * Compiles crictl into the existing directory `into`, from the fetched module and by the module's own go.sum.
 * `go install MODULE@VERSION` would ask for the list of all its versions first, to warn of deprecated ones, and fail
 * at a proxy that holds only some.
 */
export async function compileCrictl(
  work: string,
  go: Go,
  into: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { module, version, linkerFlags } = RECIPE.criTools;
  const tree = join(work, 'cri-tools');
  await copy(join(work, 'gopath/pkg/mod', `${module}@v${version}`), tree);
  const flags = `${linkerFlags} -X ${module}/pkg/version.Version=${version}`;
  const args = ['build', '-p', String(availableParallelism()), '-ldflags', flags, '-o', `${into}/`, './cmd/crictl'];
  await run(go.command, args, { ...modules(work, go, signal), cwd: tree, failure: 'crictl could not be compiled' });
}

function modules(work: string, go: Go, signal: AbortSignal | undefined): Omit<Run, 'failure'> {
  return {
    cwd: join(work, 'tmp'),
    // -modcacherw: a read-only module cache could not be removed afterwards without root.
    environment: goEnvironment(work, go, {
      GO111MODULE: 'on',
      GOWORK: 'off',
      GOFLAGS: '-trimpath -modcacherw -buildvcs=false',
    }),
    signal,
    kind: 'network',
    hint: TODO_MODULES,
  };
}
