/**
 * Installs what the tests in containers need, on Debian and Ubuntu: the packages of packaging/hosts/engine.yaml. Run as
 * root, or with sudo: npm run setup:containers
 */
import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { enginePackages } from '../src/container/images/hosts.ts';
import { EXIT_STATUS, KubeparcelError } from '../src/support/errors.ts';
import { run, type Say } from './run.ts';

/** How this machine becomes root, or why it cannot; apt-get is asked of nobody else. */
export async function waysToInstall(): Promise<{ readonly prefix: readonly string[] } | { readonly problem: string }> {
  if (process.platform !== 'linux' || !(await works('apt-get', ['--version']))) {
    return { problem: 'this is neither Debian nor Ubuntu' };
  }
  if (process.geteuid?.() === 0) return { prefix: [] };
  const sudo = ['sudo', '--non-interactive'];
  if (await works('sudo', ['--non-interactive', 'true'])) return { prefix: sudo };
  return { problem: 'this is not run by root, and sudo would ask for a password' };
}

/**
 * Installs what is missing of the packages; nothing where all are there.
 *
 * @throws KubeparcelError of kind 'usage' where that cannot be done here, 'network' when apt-get fails
 */
export async function setUpContainers(say: Say): Promise<void> {
  const packages = await enginePackages();
  const missing = await missingOf(packages);
  if (missing.length === 0) {
    say('all packages are installed');
    return;
  }
  const way = await waysToInstall();
  if ('problem' in way) {
    throw new KubeparcelError('usage', `packages for containers cannot be installed: ${way.problem}`, {
      hint: `install podman or docker as your system has it; on Debian as root: apt-get install ${packages.join(' ')}`,
    });
  }
  say(`installing ${missing.join(', ')} ...`);
  const apt = async (...args: string[]) => {
    const quietly = ['apt-get', '-qq', '-o', 'Acquire::Retries=3', '-o', 'DPkg::Lock::Timeout=120'];
    const [program = '', ...rest] = [...way.prefix, 'env', 'DEBIAN_FRONTEND=noninteractive', ...quietly, ...args];
    await run(program, rest, {
      cwd: '/',
      signal: undefined,
      failure: `apt-get ${args[0]} failed`,
      kind: 'network',
      hint: 'look at what it says, and run it again',
    });
  };
  // Lists of a third party may not answer; whether the packages install is what counts.
  await apt('update').catch((error: unknown) => say(String(error instanceof Error ? error.message : error)));
  await apt('install', '--yes', '--no-install-recommends', ...missing);
}

async function missingOf(packages: readonly string[]): Promise<string[]> {
  const found = await Promise.all(
    packages.map(async (name) => {
      const { stdout } = await execa('dpkg', ['--status', name], { reject: false, stdin: 'ignore' });
      return /^Status: \w+ ok installed$/m.test(stdout);
    }),
  );
  return packages.filter((_, index) => !found[index]);
}

async function works(program: string, args: readonly string[]): Promise<boolean> {
  const { exitCode } = await execa(program, args, { reject: false, stdin: 'ignore' });
  return exitCode === 0;
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const say: Say = (line) => process.stderr.write(`containers: ${line}\n`);
  try {
    await setUpContainers(say);
  } catch (error) {
    if (!(error instanceof KubeparcelError)) throw error;
    say(`${error.message}${error.hint === undefined ? '' : `\n  hint: ${error.hint}`}`);
    process.exitCode = EXIT_STATUS[error.kind];
  }
}
