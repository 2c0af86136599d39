import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { shellWords } from '../support/shell-words.ts';

/**
 * A shell that stays in a container and runs one command after the other. Each exec of an engine costs a tenth of a
 * second of a processor; scenarios ask so much that this was a third of all that a machine did for them.
 */
export interface ShellSession {
  /** Takes it for the next `run`; false while it is taken, and when it has ended. */
  claim(): boolean;
  /** Its shell is gone: the container ended, or something in it ended the shell. */
  readonly ended: boolean;
  /** @throws the signal's reason when it is aborted; the session has ended then, and the command may go on */
  run(command: readonly string[], options: SessionCommandOptions): Promise<SessionResult>;
  /** Ends the shell, where it still runs. */
  end(): void;
}

interface SessionCommandOptions {
  readonly environment: Readonly<Record<string, string>>;
  readonly stdin: string | undefined;
  /** Milliseconds, after which the command is ended with SIGTERM, and then with SIGKILL after `grace`. */
  readonly limit: number;
  readonly grace: number;
  /** Milliseconds that it may take to answer after that. */
  readonly patience: number;
  /** Bytes of each stream; what is more is dropped. */
  readonly maxOutput: number;
  readonly signal: AbortSignal | undefined;
}

interface SessionResult {
  /** As timeout(1) says it; undefined where the session ended before the command did. */
  readonly status: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
  readonly timedOut: boolean;
  readonly milliseconds: number;
}

/** Milliseconds that an engine may take to start the shell; without it commands go by the engine, which says what is wrong. */
const OPENING = 30_000;

/** What goes to a command in one line of the shell; more does not go through a session. */
export const MAX_SESSION_INPUT = 1 << 16;

/**
 * @param client the engine's command that runs `sh` in the container with its standard input
 * @returns undefined where there is no such shell, or not what it needs (timeout, base64)
 */
export async function openSession(client: readonly string[], signal?: AbortSignal): Promise<ShellSession | undefined> {
  const [program = '', ...parameters] = client;
  // A group of its own, so that Ctrl-C does not reach it; see runCommand.
  const child = spawn(program, [...parameters, 'sh', '-c', SERVER], {
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
  });
  const lines = answersOf(child);
  let ready = false;
  try {
    ready = (await lines.next({ timeout: OPENING, ...(signal === undefined ? {} : { signal }) })) === 'ready';
  } finally {
    if (!ready) child.kill('SIGKILL');
    lines.rest();
  }
  return ready ? sessionOf(child, lines) : undefined;
}

function sessionOf(child: Client, lines: Answers): ShellSession {
  let busy = false;
  const end = () => {
    lines.end();
    child.kill('SIGKILL');
  };
  return {
    claim() {
      if (busy || lines.ended()) return false;
      busy = true;
      return true;
    },
    get ended() {
      return lines.ended();
    },
    async run(command, { environment, stdin, limit, grace, patience, maxOutput, signal }) {
      const started = performance.now();
      try {
        const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
        const words = variables.length === 0 ? command : ['env', ...variables, ...command];
        const input = stdin === undefined || stdin === '' ? '-' : base64(stdin);
        const script = base64(`exec ${shellWords(words)}\n`);
        child.stdin.write(`${limit / 1000} ${grace / 1000} ${maxOutput} ${script} ${input}\n`);
        const line = await lines.next({
          timeout: limit + grace + patience,
          ...(signal === undefined ? {} : { signal }),
        });
        const milliseconds = Math.round(performance.now() - started);
        if (line === undefined || line === LATE) {
          end();
          const said = lines.errors();
          return { status: undefined, stdout: '', stderr: said, timedOut: line === LATE, milliseconds };
        }
        const [status, outSize, errSize, out = '', err = ''] = line.split(' ');
        const result = { status: Number(status), timedOut: false, milliseconds };
        return { ...result, stdout: text(out, Number(outSize)), stderr: text(err, Number(errSize)) };
      } catch (error) {
        end();
        throw error;
      } finally {
        busy = false;
        lines.rest();
      }
    },
    end,
  };
}

type Client = ChildProcessByStdio<Writable, Readable, Readable>;

const LATE = Symbol('late');

interface Answers {
  /** The next line; undefined when there is none any more. */
  next(options: {
    readonly signal?: AbortSignal;
    readonly timeout?: number;
  }): Promise<string | undefined | typeof LATE>;
  /** An idle session keeps no process alive. */
  rest(): void;
  end(): void;
  ended(): boolean;
  /** What the client wrote to standard error. */
  errors(): string;
}

const MAX_ERRORS = 1 << 16;
/** More than both streams of a command at their largest, in Base64. */
const MAX_ANSWER = 32 << 20;

function answersOf(child: Client): Answers {
  let parts: string[] = [];
  let length = 0;
  let errors = '';
  let over = false;
  let waiting: ((line: string | undefined) => void) | undefined;
  const answer = (line: string | undefined) => {
    const taker = waiting;
    waiting = undefined;
    taker?.(line);
  };
  const end = () => {
    over = true;
    answer(undefined);
  };
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    // One answer at a time, and nothing after it.
    length += chunk.length;
    if (length > MAX_ANSWER) {
      child.kill('SIGKILL');
      return;
    }
    if (!chunk.endsWith('\n')) {
      parts.push(chunk);
      return;
    }
    length = 0;
    const line = [...parts, chunk.slice(0, -1)].join('');
    parts = [];
    answer(line);
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    errors = `${errors}${chunk}`.slice(-MAX_ERRORS);
  });
  // The client may be gone while a line is written to it; its end says so.
  child.stdin.on('error', () => {});
  child.on('error', end);
  child.on('close', end);
  const handles = [child, child.stdin, child.stdout, child.stderr] as readonly { ref?(): void; unref?(): void }[];
  return {
    async next({ signal, timeout }) {
      signal?.throwIfAborted();
      if (over) return undefined;
      for (const handle of handles) handle.ref?.();
      let timer: NodeJS.Timeout | undefined;
      let interrupt: (() => void) | undefined;
      try {
        return await new Promise((resolve, reject) => {
          waiting = resolve;
          if (timeout !== undefined) timer = setTimeout(() => resolve(LATE), timeout);
          interrupt = () => reject(signal?.reason);
          signal?.addEventListener('abort', interrupt, { once: true });
        });
      } finally {
        waiting = undefined;
        clearTimeout(timer);
        if (interrupt !== undefined) signal?.removeEventListener('abort', interrupt);
      }
    },
    rest() {
      for (const handle of handles) handle.unref?.();
    },
    end,
    ended: () => over,
    errors: () => errors,
  };
}

function base64(value: string): string {
  return Buffer.from(value).toString('base64');
}

function text(encoded: string, size: number): string {
  const bytes = Buffer.from(encoded === '-' ? '' : encoded, 'base64');
  const dropped = size - bytes.length;
  return dropped > 0 ? `${bytes.toString('utf8')}\n[${dropped} more bytes were cut off]\n` : bytes.toString('utf8');
}

/**
 * A line for each command: seconds, seconds of grace, bytes of output, script and input in Base64. A line for each
 * answer: status, bytes of both streams, both in Base64. Files are in /run, which is memory where systemd runs.
 *
 * In a cgroup v2 no controller can be given to units while a process is in the root; so it goes to where PID 1 is.
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
