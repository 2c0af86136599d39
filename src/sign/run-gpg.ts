import { spawn } from 'node:child_process';
import type { Duplex } from 'node:stream';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { KubeparcelError } from '../support/errors.ts';
import { type Environment, KEY_VARIABLE, PASSPHRASE_VARIABLE } from './secrets.ts';

export interface GpgRun {
  /** Bytes for its standard input. */
  readonly input?: AsyncIterable<Uint8Array> | Uint8Array | undefined;
  /** Passed over a pipe; without it, gpg-agent prompts. */
  readonly passphrase?: string | undefined;
  readonly environment: Environment;
  /** What gpg should do, for errors: `sign`. */
  readonly purpose: string;
  readonly where: string;
}

const MAX_OUTPUT_BYTES = 32 << 20;
const MAX_MESSAGE_BYTES = 1 << 16;

/**
 * Runs gpg without a shell.
 *
 * @returns its standard output
 * @throws KubeparcelError of kind 'usage' with the last lines of its standard error if it fails, or if gpg is not installed
 */
export async function runGpg(args: readonly string[], run: GpgRun): Promise<Buffer> {
  const { input, passphrase, environment, purpose, where } = run;
  const withPassphrase = passphrase === undefined ? [] : ['--pinentry-mode', 'loopback', '--passphrase-fd', '3'];
  // gpg must not prompt here; gpg-agent may open a window.
  const child = spawn('gpg', ['--batch', '--no-tty', ...withPassphrase, ...args], {
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
    env: { ...withoutSecrets(environment), LC_ALL: 'C.UTF-8' },
  });
  const exited = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  // Writing fails if gpg exits early; its standard error has the reason.
  const passphrasePipe = child.stdio[3] as Duplex;
  passphrasePipe.on('error', () => {});
  passphrasePipe.end(passphrase === undefined ? '' : `${passphrase}\n`);
  try {
    const [status, output, message, inputError] = await Promise.all([
      exited,
      readLimited(child.stdout, MAX_OUTPUT_BYTES),
      readLimited(child.stderr, MAX_MESSAGE_BYTES),
      writeInput(child.stdin, input),
    ]);
    if (status === 0) {
      if (inputError !== undefined) throw inputError;
      return output;
    }
    if (inputError !== undefined && !isBrokenPipe(inputError)) throw inputError;
    throw new KubeparcelError('usage', `gpg cannot ${purpose}: ${lastLines(message)}`, {
      where,
      hint: `check gpg --list-secret-keys; set ${PASSPHRASE_VARIABLE} if the key has a passphrase`,
    });
  } catch (cause) {
    if (cause instanceof Error && 'syscall' in cause && String(cause.syscall).startsWith('spawn')) {
      throw new KubeparcelError('usage', 'cannot run gpg', {
        where,
        hint: 'install GnuPG, or use a key file with --key',
        cause,
      });
    }
    throw cause;
  } finally {
    child.kill();
  }
}

function withoutSecrets(environment: Environment): NodeJS.ProcessEnv {
  return { ...environment, [KEY_VARIABLE]: undefined, [PASSPHRASE_VARIABLE]: undefined };
}

/** @returns the error, if any */
async function writeInput(stdin: NodeJS.WritableStream, input: GpgRun['input']): Promise<unknown> {
  try {
    await pipeline(input === undefined ? Readable.from([]) : Readable.from(toChunks(input)), stdin);
    return undefined;
  } catch (error) {
    return error;
  }
}

async function* toChunks(input: AsyncIterable<Uint8Array> | Uint8Array): AsyncGenerator<Uint8Array> {
  if (input instanceof Uint8Array) {
    yield input;
  } else {
    yield* input;
  }
}

function isBrokenPipe(error: unknown): boolean {
  return (
    error instanceof Error &&
    'code' in error &&
    (error.code === 'EPIPE' || error.code === 'ECONNRESET' || error.code === 'ERR_STREAM_PREMATURE_CLOSE')
  );
}

/** Collects up to `limit` bytes and discards the rest, so that gpg does not block. */
async function readLimited(stream: Readable, limit: number): Promise<Buffer> {
  const kept: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of stream as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length <= limit) kept.push(chunk);
  }
  return Buffer.concat(kept);
}

function lastLines(message: Buffer): string {
  const lines = message
    .toString('utf8')
    .split('\n')
    .map((line) => line.replace(/^gpg: /, '').trim())
    .filter((line) => line !== '' && !/^(WARNING: running with faked|Note: )/.test(line));
  return lines.slice(-2).join('; ') || 'no message';
}
