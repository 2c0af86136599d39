import { chmod, readdir, rename } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { copy, ensureDir } from 'fs-extra/esm';
import semver from 'semver';
import { KubeparcelError } from '../../src/support/errors.ts';
import { type Run, run, type Say } from '../run.ts';
import { RECIPE } from './recipe.ts';

/** A Go toolchain. */
export interface Go {
  /** The `go` command: a path, or a name in PATH. */
  readonly command: string;
  /** GOROOT, if the command cannot find it. */
  readonly root: string | undefined;
  /** 1.19.8 */
  readonly version: string;
}

/** Variables of the user that configure module sources. Other GO variables are removed, since they could change the result. */
const MODULE_VARIABLES = new Set([
  'GOPROXY',
  'GOSUMDB',
  'GONOSUMDB',
  'GONOPROXY',
  'GOPRIVATE',
  'GOINSECURE',
  'GOENV',
  'GOAUTH',
]);

/** The environment of a Go command, with all caches in the work directory. */
export function goEnvironment(work: string, go: Go, more: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const variables = Object.entries(process.env).filter(([name]) => !/^C?GO/.test(name) || MODULE_VARIABLES.has(name));
  return {
    ...Object.fromEntries(variables),
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

export async function makeGoDirectories(work: string): Promise<void> {
  for (const part of ['gopath/src', 'gocache', 'tmp']) await ensureDir(join(work, part));
}

/** The toolchain of Debian packages that are unpacked to `directory`. */
export async function debianGo(work: string, directory: string, signal: AbortSignal | undefined): Promise<Go> {
  const root = join(directory, RECIPE.go.root);
  return withVersion(work, { command: join(root, 'bin', 'go'), root, version: '' }, signal);
}

async function withVersion(work: string, go: Go, signal: AbortSignal | undefined): Promise<Go> {
  await makeGoDirectories(work);
  const version = await run(go.command, ['env', 'GOVERSION'], {
    cwd: work,
    environment: goEnvironment(work, go, { GOFLAGS: '-trimpath' }),
    signal,
    failure: 'cannot run Go',
    kind: 'io',
    hint: 'run `go version` to see what is wrong',
  });
  return { ...go, version: version.trim().replace(/^go/, '').split(' ')[0] ?? '' };
}

/** The `go` in PATH, if it is new enough for cri-tools. */
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
 * Fetches the module of cri-tools.
 *
 * @returns false if the module proxy is not reachable
 * @throws KubeparcelError of kind 'verification' if the module does not match the checksum database
 */
export async function fetchCriTools(work: string, go: Go, say: Say, signal: AbortSignal | undefined): Promise<boolean> {
  const { module, version } = RECIPE.criTools;
  try {
    await run(go.command, ['mod', 'download', `${module}@v${version}`], {
      ...moduleOptions(work, go, signal),
      failure: `cannot fetch the Go module ${module}`,
      timeout: 180_000,
    });
    return true;
  } catch (error) {
    if (!(error instanceof KubeparcelError) || error.kind !== 'network') {
      throw error;
    }
    if (/SECURITY ERROR|checksum mismatch/.test(error.message)) {
      throw new KubeparcelError('verification', error.message, {
        hint: 'the module proxy returned other bytes than the checksum database states; do not use it',
        cause: error,
      });
    }
    say(error.message);
    return false;
  }
}

/**
 * Fetches a Go that is new enough for cri-tools, as the module golang.org/toolchain (go.dev/doc/toolchain). An older Go
 * can download the module; this function does the remaining steps.
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
    ...moduleOptions(work, older, signal),
    failure: `cannot fetch the Go toolchain ${version}`,
  });
  const root = join(work, 'gopath/pkg/mod', name);
  for (const directory of ['bin', `pkg/tool/linux_${architecture}`]) {
    for (const file of await readdir(join(root, directory))) {
      await chmod(join(root, directory, file), 0o755);
    }
  }
  // A module cannot contain the go.mod of another module under its name.
  for (const directory of ['src', 'src/cmd']) {
    await rename(join(root, directory, '_go.mod'), join(root, directory, 'go.mod'));
  }
  return withVersion(work, { command: join(root, 'bin', 'go'), root, version: '' }, signal);
}

/**
 * Compiles crictl from the fetched module, with the module's go.sum, into the existing directory `into`. `go install
 * MODULE@VERSION` first lists all versions, to warn of deprecated ones, and fails with a proxy that has only some.
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
  await run(go.command, args, { ...moduleOptions(work, go, signal), cwd: tree, failure: 'cannot compile crictl' });
}

function moduleOptions(work: string, go: Go, signal: AbortSignal | undefined): Omit<Run, 'failure'> {
  return {
    cwd: join(work, 'tmp'),
    // -modcacherw: a read-only module cache could not be removed without root.
    environment: goEnvironment(work, go, {
      GO111MODULE: 'on',
      GOWORK: 'off',
      GOFLAGS: '-trimpath -modcacherw -buildvcs=false',
    }),
    signal,
    kind: 'network',
    hint: 'check the network and GOPROXY',
  };
}
