import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { execa } from 'execa';

/** How a program ended. */
export interface CommandResult {
  /** Undefined where a signal ended it. */
  readonly status: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
  readonly timedOut: boolean;
  readonly milliseconds: number;
}

export interface CommandOptions {
  readonly stdin?: string | Uint8Array | Readable;
  /** Milliseconds; none by default. The program is killed then. */
  readonly timeout?: number;
  readonly signal?: AbortSignal;
  /** Bytes of each stream that are kept; 8 MiB by default. The rest is read and dropped, and said so at the end. */
  readonly maxOutput?: number;
  /** Where standard output goes instead of into the result. */
  readonly output?: NodeJS.WritableStream;
  /** Called with each line of standard error as it comes. */
  readonly onErrorLine?: (line: string) => void;
}

/** Bytes. */
export const MAX_OUTPUT = 8 * 1024 * 1024;

/**
 * Runs a program with these arguments and this process's environment. Never rejects for how it ended.
 *
 * Programs get a process group of their own: Ctrl-C reaches kubeparcel, which then removes its containers; the engine's
 * client in the middle of that must not die of the same key.
 *
 * @throws the signal's reason when it is aborted; the program is killed then
 */
export async function runCommand(
  [program = '', ...parameters]: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  options.signal?.throwIfAborted();
  const started = performance.now();
  const child = execa(program, parameters, {
    reject: false,
    buffer: false,
    detached: true,
    ...(options.stdin === undefined ? { stdin: 'ignore' as const } : { input: options.stdin }),
    ...(options.timeout === undefined ? {} : { timeout: options.timeout, killSignal: 'SIGKILL' as const }),
    ...(options.signal === undefined ? {} : { cancelSignal: options.signal }),
  });
  const stdout = collect(options.maxOutput ?? MAX_OUTPUT);
  const stderr = collect(options.maxOutput ?? MAX_OUTPUT);
  if (options.output === undefined) child.stdout?.on('data', stdout.add);
  else child.stdout?.pipe(options.output);
  child.stderr?.on('data', stderr.add);
  const { onErrorLine } = options;
  if (onErrorLine !== undefined && child.stderr !== undefined) {
    createInterface({ input: child.stderr }).on('line', onErrorLine);
  }
  const result = await child;
  options.signal?.throwIfAborted();
  return {
    status: result.exitCode,
    stdout: stdout.text(),
    // A program that could not be started has printed nothing.
    stderr:
      result.exitCode === undefined && result.code !== undefined && !result.timedOut
        ? (result.shortMessage ?? '')
        : stderr.text(),
    timedOut: result.timedOut,
    milliseconds: Math.round(performance.now() - started),
  };
}

function collect(limit: number) {
  const chunks: Buffer[] = [];
  let kept = 0;
  let dropped = 0;
  return {
    add: (chunk: Uint8Array) => {
      const part = Buffer.from(chunk.subarray(0, limit - kept));
      chunks.push(part);
      kept += part.length;
      dropped += chunk.length - part.length;
    },
    text: () => {
      const text = Buffer.concat(chunks).toString('utf8');
      return dropped === 0 ? text : `${text}\n[${dropped} more bytes were cut off]\n`;
    },
  };
}
