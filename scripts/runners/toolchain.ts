import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import type { Architecture } from '../../src/model/architecture.ts';
import { KubeparcelError } from '../../src/support/errors.ts';
import { findPackage, openDebian, unpackPackages } from '../real-payload/debian.ts';
import type { Say } from '../real-payload/run.ts';
import { MACHINES, ownArchitecture } from './machines.ts';

export interface Toolchain {
  readonly compiler: string;
  /** undefined: the C library of this machine, glibc. */
  readonly musl: { readonly include: string; readonly lib: string } | undefined;
  /** Of the compiler's version and of the C library's bytes: what a cached runner is named after. */
  readonly digest: string;
}

interface Wanted {
  readonly work: string;
  /** Fetch what is missing of musl; else take what is installed. */
  readonly fetch: boolean;
  readonly say: Say;
}

const MUSL_SUITE = 'bookworm';

/**
 * Compilers and C libraries for architectures: musl where it is installed or can be fetched, for this machine's own
 * architecture else its glibc.
 *
 * @returns for each one its toolchain, or what stands against it
 */
export async function findToolchains(
  architectures: readonly Architecture[],
  { work, fetch, say }: Wanted,
): Promise<Map<Architecture, Toolchain | KubeparcelError>> {
  const compilers = new Map<Architecture, string>();
  for (const each of architectures) {
    const compiler = await findCompiler(each);
    if (compiler !== undefined) compilers.set(each, compiler);
  }
  const lacking = [...compilers.keys()].filter((each) => installedMusl(each, '/') === undefined);
  const fetched = join(work, 'musl');
  let problem: unknown;
  if (fetch && lacking.length > 0) {
    problem = await fetchMusl(lacking, fetched, work, say).catch((error: unknown) => error);
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
    return new KubeparcelError('config', `there is no C compiler for ${architecture}`, {
      hint: `apt-get install ${own ? 'gcc libc6-dev (or musl-tools)' : MACHINES[architecture].compiler}`,
    });
  }
  const musl = installedMusl(architecture, '/') ?? installedMusl(architecture, fetched);
  if (musl === undefined && !own) {
    const reason = problem instanceof Error ? `: ${problem.message}` : '';
    return new KubeparcelError('network', `there is no musl for ${architecture}${reason}`, {
      hint: 'see that Debian can be reached; npm run runners fetches musl-dev from there',
    });
  }
  if (musl === undefined && !(await hasStaticGlibc(compiler))) {
    return new KubeparcelError('config', 'there is a C compiler here, but no static C library', {
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

/** GCC answers with the bare name when it finds no such file. */
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
  const wanted = packages.map((found, index) => ({ ...found, name: `musl-dev:${names[index]}` }));
  await unpackPackages(debian, wanted, directory);
  return undefined;
}
