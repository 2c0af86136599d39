import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { shellWords } from '../support/shell-words.ts';
import type { CommandResult } from './command.ts';

interface SessionCommandOptions {
  readonly environment: Readonly<Record<string, string>>;
  readonly stdin: string | undefined;
  /** Milliseconds until the command gets SIGTERM, and SIGKILL `grace` milliseconds later. */
  readonly limit: number;
  readonly grace: number;
  /** Milliseconds to wait for an answer after that. */
  readonly patience: number;
  /** Bytes to keep of each stream. */
  readonly maxOutput: number;
  readonly signal: AbortSignal | undefined;
}

/** Milliseconds to wait for the shell to start. */
const START_TIMEOUT = 30_000;

/** Bytes of standard input that a session can pass to a command: input is one line of the shell. */
export const MAX_SESSION_INPUT = 1 << 16;

/**
 * A shell that stays open in a container and runs one command after another. Each `exec` of an engine takes 0.1 s of CPU
 * time, which was a third of the CPU time of a scenario run.
 */
export class ShellSession {
  readonly #client: Client;
  readonly #lines: AnswerLines;
  #busy = false;

  private constructor(client: Client, lines: AnswerLines) {
    this.#client = client;
    this.#lines = lines;
  }

  /**
   * @param engineExec the engine's command that runs a program in the container with its standard input attached
   * @returns undefined if the container has no shell, or lacks timeout or base64
   */
  static async open(engineExec: readonly string[], signal?: AbortSignal): Promise<ShellSession | undefined> {
    const [program = '', ...parameters] = engineExec;
    // Its own process group, so that Ctrl-C does not reach it; see runCommand.
    const client = spawn(program, [...parameters, 'sh', '-c', SERVER], {
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
    });
    const lines = new AnswerLines(client);
    let ready = false;
    try {
      ready = (await lines.next(START_TIMEOUT, signal)) === 'ready';
    } finally {
      if (!ready) client.kill('SIGKILL');
      lines.unref();
    }
    return ready ? new ShellSession(client, lines) : undefined;
  }

  /** True once the shell has ended: the container ended, or one of its processes killed the shell. */
  get ended(): boolean {
    return this.#lines.ended;
  }

  /** Reserves the session for the next `run`. False if it is reserved already or has ended. */
  claim(): boolean {
    if (this.#busy || this.ended) return false;
    this.#busy = true;
    return true;
  }

  /**
   * @returns the status of timeout(1); undefined if the session ended before the command
   * @throws the reason of the signal if it aborts; this ends the session, but the command may continue to run
   */
  async run(command: readonly string[], options: SessionCommandOptions): Promise<CommandResult> {
    const { environment, stdin, limit, grace, patience, maxOutput, signal } = options;
    const started = performance.now();
    try {
      const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
      const words = variables.length === 0 ? command : ['env', ...variables, ...command];
      const input = stdin === undefined || stdin === '' ? '-' : base64(stdin);
      const script = base64(`exec ${shellWords(words)}\n`);
      this.#client.stdin.write(`${limit / 1000} ${grace / 1000} ${maxOutput} ${script} ${input}\n`);
      const line = await this.#lines.next(limit + grace + patience, signal);
      const milliseconds = Math.round(performance.now() - started);
      if (line === undefined || line === TIMED_OUT) {
        this.end();
        const stderr = this.#lines.errors;
        return { status: undefined, stdout: '', stderr, timedOut: line === TIMED_OUT, milliseconds };
      }
      const [status, outSize, errSize, out = '', err = ''] = line.split(' ');
      const result = { status: Number(status), timedOut: false, milliseconds };
      return { ...result, stdout: decode(out, Number(outSize)), stderr: decode(err, Number(errSize)) };
    } catch (error) {
      this.end();
      throw error;
    } finally {
      this.#busy = false;
      this.#lines.unref();
    }
  }

  end(): void {
    this.#lines.end();
    this.#client.kill('SIGKILL');
  }
}

type Client = ChildProcessByStdio<Writable, Readable, Readable>;

type Handle = { ref?(): void; unref?(): void };
const TIMED_OUT = Symbol('late');
/** Bytes of the client's standard error to keep. */
const MAX_ERRORS = 1 << 16;
/** More than both streams of a command at their maximum, in Base64. */
const MAX_ANSWER = 32 << 20;

/** The output of the shell: exactly one line per command. */
class AnswerLines {
  /** The last part of the client's standard error. */
  errors = '';
  ended = false;
  readonly #handles: readonly Handle[];
  #waiting: ((line: string | undefined) => void) | undefined;

  constructor(client: Client) {
    const { stdin, stdout, stderr } = client;
    this.#handles = [client, stdin, stdout, stderr] as readonly Handle[];
    let chunks: string[] = [];
    let length = 0;
    stdout.setEncoding('utf8').on('data', (chunk: string) => {
      length += chunk.length;
      if (length > MAX_ANSWER) {
        client.kill('SIGKILL');
        return;
      }
      chunks.push(chunk);
      if (!chunk.endsWith('\n')) return;
      const line = chunks.join('').slice(0, -1);
      length = 0;
      chunks = [];
      this.#answer(line);
    });
    stderr.setEncoding('utf8').on('data', (chunk: string) => {
      this.errors = `${this.errors}${chunk}`.slice(-MAX_ERRORS);
    });
    // A write to a client that has ended fails; `close` reports its end.
    stdin.on('error', () => {});
    client.on('error', () => this.end());
    client.on('close', () => this.end());
  }

  /**
   * @param timeout milliseconds, after which the result is TIMED_OUT
   * @returns the next line; undefined after the end
   */
  async next(timeout: number, signal: AbortSignal | undefined): Promise<string | undefined | typeof TIMED_OUT> {
    signal?.throwIfAborted();
    if (this.ended) return undefined;
    for (const handle of this.#handles) handle.ref?.();
    let timer: NodeJS.Timeout | undefined;
    let interrupt = () => {};
    try {
      return await new Promise((resolve, reject) => {
        this.#waiting = resolve;
        timer = setTimeout(() => resolve(TIMED_OUT), timeout);
        interrupt = () => reject(signal?.reason);
        signal?.addEventListener('abort', interrupt, { once: true });
      });
    } finally {
      this.#waiting = undefined;
      clearTimeout(timer);
      signal?.removeEventListener('abort', interrupt);
    }
  }

  /** Lets this process exit while the session is idle. */
  unref(): void {
    for (const handle of this.#handles) handle.unref?.();
  }

  end(): void {
    this.ended = true;
    this.#answer(undefined);
  }

  #answer(line: string | undefined): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.(line);
  }
}

function base64(value: string): string {
  return Buffer.from(value).toString('base64');
}

/** @param size bytes that the command wrote; `encoded` may hold fewer */
function decode(encoded: string, size: number): string {
  const bytes = Buffer.from(encoded === '-' ? '' : encoded, 'base64');
  const dropped = size - bytes.length;
  return dropped > 0 ? `${bytes.toString('utf8')}\n[${dropped} more bytes were cut off]\n` : bytes.toString('utf8');
}

/**
 * The program in the container. It reads one line per command: seconds, seconds of grace, bytes of output, script and
 * input in Base64. It writes one line per answer: status, bytes of both streams, both in Base64. Its files are in /run,
 * which is a tmpfs where systemd runs.
 *
 * With cgroup v2, units get no controllers while a process is in the root group. The shell therefore moves to the group
 * of PID 1.
 */
const SERVER = `dir=/run/kubeparcel/session.$$
mkdir -p "$dir" && : | base64 --wrap=0 && timeout 5 true || exit 1
if [ -s /sys/fs/cgroup/cgroup.controllers ] && [ -e /sys/fs/cgroup/init.scope/cgroup.procs ]; then
  echo $$ 2>/dev/null >/sys/fs/cgroup/init.scope/cgroup.procs
fi
echo ready
while IFS=' ' read -r limit grace most script input; do
  printf %s "$script" | base64 --decode >"$dir/script"
  case $input in
    -) : >"$dir/in" ;;
    *) printf %s "$input" | base64 --decode >"$dir/in" ;;
  esac
  timeout --kill-after="$grace" "$limit" sh "$dir/script" <"$dir/in" >"$dir/out" 2>"$dir/err"
  status=$?
  printf '%s %s %s ' "$status" $(stat -c %s "$dir/out" "$dir/err")
  for stream in out err; do
    if [ -s "$dir/$stream" ]; then head -c "$most" "$dir/$stream" | base64 --wrap=0; else printf -; fi
    [ $stream = out ] && printf ' '
  done
  echo
done
rm -rf "$dir"
`;
