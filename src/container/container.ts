import { mkdir } from 'node:fs/promises';
import { basename, dirname, posix } from 'node:path';
import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { create, extract } from 'tar';
import { KubeparcelError } from '../support/errors.ts';
import { type CommandResult, MAX_OUTPUT, runCommand } from './command.ts';
import type { Container, EngineName, ExecOptions, ExecResult } from './engine.ts';
import { MAX_SESSION_INPUT, openSession, type ShellSession } from './shell-session.ts';

const DEFAULT_TIMEOUT = 120_000;
/** How long a program may take to end itself after SIGTERM, and the engine after that (milliseconds). */
const GRACE = 2_000;
const ENGINE_GRACE = 10_000;

/** A container that runs, by its name. */
export function containerOf(
  engine: EngineName,
  facts: Pick<Container, 'name' | 'image' | 'failedUnits'> & { readonly init: 'systemd' | 'none' },
  remove: () => Promise<void>,
): Container {
  const { name, image, failedUnits, init } = facts;
  const users = new Map<string, string>();
  /**
   * UID:GID of a user. podman looks for names in the container's files as this process sees them, which is not so
   * where they are in a mount namespace of their own.
   */
  const numbersOf = async (user: string): Promise<string> => {
    if (/^\d+(:\d+)?$/.test(user)) return user;
    const script = 'printf %s:%s "$(id -u -- "$1")" "$(id -g -- "$1")"';
    const { stdout } = await execIn(engine, name, ['sh', '-c', script, 'kubeparcel', user], {});
    if (!/^\d+:\d+$/.test(stdout)) throw new KubeparcelError('usage', `there is no user ${user}`, { where: name });
    return stdout;
  };
  const sessions = sessionsOf(engine, name);
  const exec = async (command: readonly string[], options: ExecOptions = {}) => {
    const { user, ...others } = options;
    if (user === undefined) {
      // /run is memory there, so that a session leaves nothing in the image of a container.
      const session = init === 'systemd' && fitsSession(options) ? await sessions.claim(options.signal) : undefined;
      return session === undefined
        ? await execIn(engine, name, command, others)
        : await execInSession(engine, name, session, command, others);
    }
    const numbers = users.get(user) ?? (await numbersOf(user));
    users.set(user, numbers);
    return await execIn(engine, name, command, { ...others, user: numbers });
  };
  return {
    name,
    image,
    failedUnits,
    exec,
    copyIn: (source, targetDirectory) => copyIn(engine, name, source, targetDirectory),
    copyOut: (source, targetDirectory) => copyOut(engine, name, source, targetDirectory),
    logs: async () => {
      const printed = await runCommand([engine, 'logs', name], { timeout: 30_000 });
      if (init === 'none') return printed.stdout + printed.stderr;
      const journal = await exec(['journalctl', '--no-pager', '--boot'], { timeout: 30_000 }).catch(() => undefined);
      return journal?.status === 0 ? journal.stdout : printed.stdout + printed.stderr;
    },
    remove: async () => {
      sessions.end();
      await remove();
    },
    commandLine: (command, options = {}) => [engine, 'exec', ...(options.interactive ? ['-it'] : []), name, ...command],
  };
}

/** The session of a container, which is opened when it is first asked for; commands beside it go by the engine. */
function sessionsOf(engine: EngineName, name: string) {
  let session: ShellSession | undefined;
  let opening = false;
  let never = false;
  return {
    async claim(signal: AbortSignal | undefined): Promise<ShellSession | undefined> {
      if (session?.claim() === true) return session;
      // A session that has ended is followed by another one.
      if (never || opening || (session !== undefined && !session.ended)) return undefined;
      opening = true;
      try {
        session = await openSession([engine, 'exec', '--interactive', name], signal);
        never ||= session === undefined;
        return session?.claim() === true ? session : undefined;
      } finally {
        opening = false;
      }
    },
    end() {
      never = true;
      session?.end();
    },
  };
}

function fitsSession({ stdin }: ExecOptions): boolean {
  return stdin === undefined || (typeof stdin === 'string' && stdin.length <= MAX_SESSION_INPUT);
}

async function execInSession(
  engine: EngineName,
  name: string,
  session: ShellSession,
  command: readonly string[],
  { environment = {}, stdin, timeout: limit = DEFAULT_TIMEOUT, signal }: ExecOptions,
): Promise<ExecResult> {
  const result = await session.run(command, {
    environment,
    stdin: typeof stdin === 'string' ? stdin : undefined,
    limit,
    grace: GRACE,
    patience: ENGINE_GRACE,
    maxOutput: MAX_OUTPUT,
    signal,
  });
  if (result.status === undefined) {
    refuseGone(engine, name, { ...result, status: 255 });
    // Whether it still runs; it says so where it does not.
    if (!result.timedOut) await execIn(engine, name, ['true'], {});
  }
  return execResult(command, result, limit);
}

/**
 * timeout(1) of the container ends the process there; ending the engine's client alone would leave it running. The
 * client is ended too where the container no longer answers.
 */
async function execIn(
  engine: EngineName,
  name: string,
  command: readonly string[],
  options: ExecOptions,
): Promise<ExecResult> {
  const limit = options.timeout ?? DEFAULT_TIMEOUT;
  const result = await runCommand(
    [
      engine,
      'exec',
      ...(options.stdin === undefined ? [] : ['--interactive']),
      ...(options.user === undefined ? [] : [`--user=${options.user}`]),
      ...Object.entries(options.environment ?? {}).map(([variable, value]) => `--env=${variable}=${value}`),
      name,
      'timeout',
      `--kill-after=${GRACE / 1000}`,
      String(limit / 1000),
      ...command,
    ],
    {
      timeout: limit + GRACE + ENGINE_GRACE,
      ...(options.stdin === undefined ? {} : { stdin: options.stdin }),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    },
  );
  refuseGone(engine, name, result);
  return execResult(command, result, limit);
}

function execResult(command: readonly string[], result: CommandResult, limit: number): ExecResult {
  const { status, stdout, stderr, milliseconds } = result;
  // 124: ended by SIGTERM; 137: by SIGKILL.
  const timedOut = result.timedOut || (milliseconds >= limit && [124, 137].includes(status ?? 124));
  return { command, status: timedOut ? 124 : (status ?? 255), timedOut, stdout, stderr, milliseconds };
}

/** Owners are not taken along: inside, all belongs to root. */
async function copyIn(engine: EngineName, name: string, source: string, targetDirectory: string): Promise<void> {
  const archive = create({ cwd: dirname(source), portable: true, strict: true }, [`./${basename(source)}`]);
  const result = await runCommand(
    [engine, 'exec', '--interactive', name, 'sh', '-c', UNPACK, 'kubeparcel', targetDirectory],
    { stdin: Readable.from(archive as AsyncIterable<Uint8Array>) },
  );
  refuse(engine, name, result, `${source} could not be copied into the container`, targetDirectory);
}

const UNPACK = 'mkdir -p -- "$1" && exec tar --extract --no-same-owner --directory="$1" --file=-';

async function copyOut(engine: EngineName, name: string, source: string, targetDirectory: string): Promise<void> {
  await mkdir(targetDirectory, { recursive: true });
  const sink = extract({ cwd: targetDirectory, strict: true, preserveOwner: false });
  const done = finished(sink as unknown as NodeJS.WritableStream);
  const unpacked = done.then(
    () => undefined,
    (error: unknown) => error,
  );
  const result = await runCommand(
    [
      engine,
      'exec',
      name,
      'tar',
      '--create',
      `--directory=${posix.dirname(source)}`,
      '--file=-',
      '--',
      posix.basename(source),
    ],
    { output: sink as unknown as NodeJS.WritableStream },
  );
  refuse(engine, name, result, 'a file of the container could not be copied out of it', source);
  const fault = await unpacked;
  if (fault !== undefined) {
    throw new KubeparcelError('io', 'what a container holds could not be unpacked', {
      where: targetDirectory,
      cause: fault,
    });
  }
}

/** @throws KubeparcelError of kind 'io' for every status but 0 */
export function refuse(engine: EngineName, name: string, result: CommandResult, what: string, where: string): void {
  refuseGone(engine, name, result);
  if (result.status === 0) return;
  throw new KubeparcelError('io', `${what}: ${lastLine(result)}`, { where });
}

/** The engine's own failure is no status of the command. */
function refuseGone(engine: EngineName, name: string, { status, stderr }: CommandResult): void {
  if (status === undefined && stderr !== '')
    throw new KubeparcelError('io', `${engine} could not be run: ${stderr.trim()}`);
  if (status !== 0 && GONE.test(stderr)) {
    throw new KubeparcelError('io', `the container does not run any more: ${stderr.trim()}`, { where: name });
  }
}

const GONE =
  /^Error(: | response from daemon: )(no (such )?container|no container with name|can only create exec sessions on running|container [0-9a-zA-Z]+ is not running|No such container)/m;

export function lastLine({ stdout, stderr, status }: CommandResult): string {
  return (stderr.trim() || stdout.trim()).split('\n').at(-1) || `status ${status ?? 'unknown'}`;
}
