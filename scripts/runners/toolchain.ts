import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import type { Architecture } from '../../src/model/architecture.ts';
import { KubeparcelError } from '../../src/support/errors.ts';
import { findPackage, openDebian, unpackPackages } from '../real-payload/debian.ts';
import type { Say } from '../run.ts';
import { MACHINES, ownArchitecture } from './machines.ts';

export interface Toolchain {
  readonly compiler: string;
  /** Undefined: glibc of this machine. */
  readonly musl: { readonly include: string; readonly lib: string } | undefined;
  /** Digest of the compiler's version and the C library; part of the name of a cached runner. */
  readonly digest: string;
}

interface Options {
  readonly work: string;
  /** Fetch musl if it is not installed. */
  readonly fetch: boolean;
  readonly say: Say;
}

const MUSL_SUITE = 'bookworm';

/**
 * Finds compilers and C libraries: musl if it is installed or can be fetched, else glibc for this machine's architecture.
 *
 * @returns the toolchain of each architecture, or why there is none
 */
export async function findToolchains(
  architectures: readonly Architecture[],
  { work, fetch, say }: Options,
): Promise<Map<Architecture, Toolchain | KubeparcelError>> {
  const compilers = new Map<Architecture, string>();
  for (const each of architectures) {
    const compiler = await findCompiler(each);
    if (compiler !== undefined) compilers.set(each, compiler);
  }
  const withoutMusl = [...compilers.keys()].filter((each) => installedMusl(each, '/') === undefined);
  const fetched = join(work, 'musl');
  let problem: unknown;
  if (fetch && withoutMusl.length > 0) {
    problem = await fetchMusl(withoutMusl, fetched, work, say).catch((error: unknown) => error);
  }
  const found = new Map<Architecture, Toolchain | KubeparcelError>();
  for (const each of architectures) {
    found.set(each, await toolchain(each, compilers.get(each), fetched, problem));
  }
  return found;
}

async function toolchain(
  architecture: Architecture,
  compiler: string | undefined,
  fetched: string,
  problem: unknown,
): Promise<Toolchain | KubeparcelError> {
  const own = architecture === ownArchitecture();
  if (compiler === undefined) {
    return new KubeparcelError('config', `no C compiler for ${architecture}`, {
      hint: `apt-get install ${own ? 'gcc libc6-dev (or musl-tools)' : MACHINES[architecture].compiler}`,
    });
  }
  const musl = installedMusl(architecture, '/') ?? installedMusl(architecture, fetched);
  if (musl === undefined && !own) {
    const reason = problem instanceof Error ? `: ${problem.message}` : '';
    return new KubeparcelError('network', `no musl for ${architecture}${reason}`, {
      hint: 'check that a Debian mirror is reachable; npm run runners fetches musl-dev from it',
    });
  }
  if (musl === undefined && !(await hasStaticGlibc(compiler))) {
    return new KubeparcelError('config', 'no static C library for the installed C compiler', {
      hint: 'apt-get install musl-tools, or libc6-dev',
    });
  }
  const version = (await execa(compiler, ['--version'])).stdout.split('\n')[0] ?? '';
  const library = musl === undefined ? (await libraryOf(compiler)).trim() : join(musl.lib, 'libc.a');
  const hash = createHash('sha256')
    .update(version)
    .update(await readFile(library));
  return { compiler, musl, digest: hash.digest('hex').slice(0, 16) };
}

async function findCompiler(architecture: Architecture): Promise<string | undefined> {
  const names = [`${MACHINES[architecture].gnu}-gcc`, ...(architecture === ownArchitecture() ? ['gcc', 'cc'] : [])];
  for (const name of names) {
    if (!(await execa(name, ['--version'], { reject: false, stdin: 'ignore' })).failed) return name;
  }
  return undefined;
}

function installedMusl(architecture: Architecture, root: string): Toolchain['musl'] {
  const { musl } = MACHINES[architecture];
  const found = { include: join(root, 'usr/include', musl), lib: join(root, 'usr/lib', musl) };
  return existsSync(join(found.include, 'stdio.h')) && existsSync(join(found.lib, 'libc.a')) ? found : undefined;
}

function libraryOf(compiler: string): Promise<string> {
  return execa(compiler, ['-print-file-name=libc.a']).then(({ stdout }) => stdout);
}

/** GCC prints the bare name if it does not find the file. */
async function hasStaticGlibc(compiler: string): Promise<boolean> {
  return (await libraryOf(compiler)).includes('/');
}

async function fetchMusl(
  architectures: readonly Architecture[],
  directory: string,
  work: string,
  say: Say,
): Promise<undefined> {
  const names = architectures.map((each) => MACHINES[each].debian);
  const debian = await openDebian(join(work, 'apt-musl'), say, undefined, {
    suite: MUSL_SUITE,
    binary: true,
    source: false,
    architectures: names,
  });
  const packages = await Promise.all(names.map((name) => findPackage(debian, `musl-dev:${name}`)));
  // `apt-get download` takes the architecture after the name.
  const named = packages.map((found, index) => ({ ...found, name: `musl-dev:${names[index]}` }));
  await unpackPackages(debian, named, directory);
  return undefined;
}
