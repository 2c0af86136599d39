import { realpathSync } from 'node:fs';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';
import { ExecaError, execa } from 'execa';
import { EXIT_STATUS, type FailureKind, KubeparcelError } from '../src/support/errors.ts';

export interface Run {
  readonly cwd: string;
  /** Default: the environment of this process. LC_ALL=C.UTF-8 is added. */
  readonly environment?: NodeJS.ProcessEnv | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Error message if the command fails. */
  readonly failure: string;
  readonly kind: FailureKind;
  readonly hint: string;
  /** Milliseconds. */
  readonly timeout?: number | undefined;
}

const INSTALL_HINTS: Readonly<Record<string, string>> = {
  'apt-get': 'run this script on Debian or Ubuntu, or in a container of one of them',
  'apt-cache': 'run this script on Debian or Ubuntu, or in a container of one of them',
  'dpkg-deb': 'apt-get install dpkg',
  'dpkg-source': 'apt-get install dpkg-dev xz-utils',
};

/**
 * Runs a command without standard input.
 *
 * @returns its standard output
 * @throws KubeparcelError of the given kind, with the last lines of the output, if the command fails; of kind 'io' if it is
 *   not installed; the reason of the signal if it aborts
 */
export async function run(command: string, args: readonly string[], options: Run): Promise<string> {
  const environment = { ...(options.environment ?? process.env), LC_ALL: 'C.UTF-8', LANGUAGE: '' };
  try {
    const { stdout } = await execa(command, args, {
      cwd: options.cwd,
      env: environment,
      extendEnv: false,
      stdin: 'ignore',
      maxBuffer: 32 * 1024 * 1024,
      ...(options.signal === undefined ? {} : { cancelSignal: options.signal }),
      ...(options.timeout === undefined ? {} : { timeout: options.timeout }),
    });
    return stdout;
  } catch (error) {
    options.signal?.throwIfAborted();
    if (!(error instanceof ExecaError)) {
      throw error;
    }
    if (error.code === 'ENOENT') {
      throw new KubeparcelError('io', `the command ${command} is not installed`, {
        hint: INSTALL_HINTS[command] ?? `install ${command}`,
        cause: error,
      });
    }
    const output = `${text(error.stdout)}\n${text(error.stderr)}`.trim().split('\n').slice(-15).join('\n');
    throw new KubeparcelError(options.kind, `${options.failure}: ${error.shortMessage}\n${output}`, {
      where: options.cwd,
      hint: options.hint,
      cause: error,
    });
  }
}

function text(output: unknown): string {
  return typeof output === 'string' ? output : '';
}

export type Say = (line: string) => void;

/** Reports the start of a step, and its duration at the end. */
export async function timed<T>(say: Say, what: string, work: () => Promise<T>): Promise<T> {
  say(`${what} ...`);
  const begin = performance.now();
  const result = await work();
  say(`${what}: ${((performance.now() - begin) / 1000).toFixed(1)} s`);
  return result;
}

/** Whether Node was started with the module of this URL. */
export function isScript(url: string): boolean {
  return process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(url);
}

/** Runs the main function of a script. Prints a KubeparcelError and sets its exit status. */
export async function reportErrors(say: Say, main: () => Promise<void>): Promise<void> {
  try {
    await main();
  } catch (error) {
    if (!(error instanceof KubeparcelError)) throw error;
    const where = error.where === undefined ? '' : `\n  where: ${error.where}`;
    const hint = error.hint === undefined ? '' : `\n  hint: ${error.hint}`;
    say(`${error.message}${where}${hint}`);
    process.exitCode = EXIT_STATUS[error.kind];
  }
}

/** Builds something and prints its directory. SIGINT and SIGTERM abort the signal. */
export async function runBuild(
  name: string,
  build: (say: Say, signal: AbortSignal) => Promise<{ readonly directory: string; readonly cached: boolean }>,
): Promise<void> {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    // Not `once`: execa ends the process on a signal without other listeners.
    process.on(signal, () => {
      process.exitCode = 128 + constants.signals[signal];
      if (controller.signal.aborted) process.exit();
      controller.abort();
    });
  }
  const say = (line: string) => process.stderr.write(`${name}: ${line}\n`);
  await reportErrors(say, async () => {
    try {
      const { directory, cached } = await build(say, controller.signal);
      say(cached ? 'found in the cache' : 'built');
      process.stdout.write(`${directory}\n`);
    } catch (error) {
      if (!controller.signal.aborted) throw error;
    }
  });
}
