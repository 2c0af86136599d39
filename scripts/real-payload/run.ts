import { ExecaError, execa } from 'execa';
import { type FailureKind, KubeparcelError } from '../../src/support/errors.ts';

export interface Run {
  readonly cwd: string;
  /** Replaces the whole environment when given; LC_ALL=C.UTF-8 is added to either. */
  readonly environment?: NodeJS.ProcessEnv;
  readonly signal: AbortSignal | undefined;
  /** What is said when it fails: one sentence without a full stop. */
  readonly failure: string;
  readonly kind: FailureKind;
  readonly hint: string;
  /** Milliseconds. */
  readonly timeout?: number;
}

const WHERE_TO_GET: Readonly<Record<string, string>> = {
  'apt-get': 'This is made from Debian packages: run it on Debian or Ubuntu, or in a container of them.',
  'apt-cache': 'This is made from Debian packages: run it on Debian or Ubuntu, or in a container of them.',
  'dpkg-deb': 'Install it: apt-get install dpkg.',
  'dpkg-source': 'Install it: apt-get install dpkg-dev xz-utils.',
};

/**
 * Runs a command with no standard input and gives back what it wrote to its standard output.
 *
 * @throws KubeparcelError of the given kind, with the last lines that the command wrote; of kind 'io' when there is no
 *   such command; the signal's own reason when it was aborted
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
      throw new KubeparcelError('io', `The command ${command} is not installed`, {
        hint: WHERE_TO_GET[command] ?? `Install ${command}.`,
        cause: error,
      });
    }
    const said = `${text(error.stdout)}\n${text(error.stderr)}`.trim().split('\n').slice(-15).join('\n');
    throw new KubeparcelError(options.kind, `${options.failure}: ${error.shortMessage}\n${said}`, {
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

/** Says what begins, and how long it took when it is done. */
export async function timed<T>(say: Say, what: string, work: () => Promise<T>): Promise<T> {
  say(`${what} ...`);
  const begin = performance.now();
  const result = await work();
  say(`${what}: ${((performance.now() - begin) / 1000).toFixed(1)} s`);
  return result;
}
