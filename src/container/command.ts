import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { execa } from 'execa';

/** How a program ended. */
export interface CommandResult {
  /** Undefined if a signal ended the program or it could not be started. */
  readonly status: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
  readonly timedOut: boolean;
  readonly milliseconds: number;
}

export interface CommandOptions {
  readonly stdin?: string | Uint8Array | Readable | undefined;
  /** Milliseconds, after which the program is killed; no limit by default. */
  readonly timeout?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Receives standard output instead of the result. */
  readonly output?: NodeJS.WritableStream | undefined;
  /** Called with each line of standard error. */
  readonly onErrorLine?: ((line: string) => void) | undefined;
}

/** Bytes of each stream to keep; the result ends with a note if there were more. */
export const MAX_OUTPUT = 8 * 1024 * 1024;

/**
 * Runs a program with the environment of this process. Resolves for every exit status.
 *
 * The program gets its own process group, so that Ctrl-C does not interrupt the engine while kubeparcel removes containers.
 *
 * @throws the reason of the signal if it aborts; the program is killed
 */
export async function runCommand(
  [program = '', ...parameters]: readonly string[],
  { stdin, timeout, signal, output, onErrorLine }: CommandOptions = {},
): Promise<CommandResult> {
  signal?.throwIfAborted();
  const begin = performance.now();
  const child = execa(program, parameters, {
    reject: false,
    buffer: false,
    detached: true,
    ...(stdin === undefined ? { stdin: 'ignore' as const } : { input: stdin }),
    ...(timeout === undefined ? {} : { timeout, killSignal: 'SIGKILL' as const }),
    ...(signal === undefined ? {} : { cancelSignal: signal }),
  });
  const stdout = new BoundedText();
  const stderr = new BoundedText();
  if (output === undefined) child.stdout?.on('data', (chunk) => stdout.add(chunk));
  else child.stdout?.pipe(output);
  child.stderr?.on('data', (chunk) => stderr.add(chunk));
  if (onErrorLine !== undefined && child.stderr !== undefined) {
    createInterface({ input: child.stderr }).on('line', onErrorLine);
  }
  const result = await child;
  signal?.throwIfAborted();
  const wasStarted = result.exitCode !== undefined || result.code === undefined || result.timedOut;
  return {
    status: result.exitCode,
    stdout: stdout.text(),
    stderr: wasStarted ? stderr.text() : (result.shortMessage ?? ''),
    timedOut: result.timedOut,
    milliseconds: Math.round(performance.now() - begin),
  };
}

class BoundedText {
  readonly #chunks: Buffer[] = [];
  #size = 0;
  #dropped = 0;

  add(chunk: Uint8Array): void {
    const part = Buffer.from(chunk.subarray(0, MAX_OUTPUT - this.#size));
    this.#chunks.push(part);
    this.#size += part.length;
    this.#dropped += chunk.length - part.length;
  }

  text(): string {
    const text = Buffer.concat(this.#chunks).toString('utf8');
    return this.#dropped === 0 ? text : `${text}\n[${this.#dropped} more bytes were cut off]\n`;
  }
}
