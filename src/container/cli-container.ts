import { mkdir } from 'node:fs/promises';
import { basename, dirname, posix } from 'node:path';
import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { create, extract } from 'tar';
import { KubeparcelError } from '../support/errors.ts';
import { type CommandResult, MAX_OUTPUT, runCommand } from './command.ts';
import type { Container, EngineName, ExecOptions, ExecResult } from './engine.ts';
import { MAX_SESSION_INPUT, ShellSession } from './shell-session.ts';

/** Milliseconds. */
const DEFAULT_TIMEOUT = 120_000;
const BOOT_TIMEOUT = 120_000;
const LOGS_TIMEOUT = 30_000;
/** Between SIGTERM and SIGKILL, and after that for the engine's client to end. */
const GRACE = 2_000;
const ENGINE_GRACE = 10_000;

export interface CliContainerOptions {
  readonly engine: EngineName;
  readonly name: string;
  readonly image: string;
  readonly init: 'systemd' | 'none';
  readonly remove: () => Promise<void>;
}

/** A running container, through the command line of its engine. */
export class CliContainer implements Container {
  readonly name: string;
  readonly image: string;
  failedUnits: readonly string[] = [];
  readonly #engine: EngineName;
  readonly #init: CliContainerOptions['init'];
  readonly #remove: () => Promise<void>;
  readonly #sessions: Sessions;
  /** UID:GID by user name. */
  readonly #users = new Map<string, string>();

  constructor({ engine, name, image, init, remove }: CliContainerOptions) {
    this.name = name;
    this.image = image;
    this.#engine = engine;
    this.#init = init;
    this.#remove = remove;
    this.#sessions = new Sessions([engine, 'exec', '--interactive', name]);
  }

  async exec(command: readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
    if (options.user !== undefined) {
      return await this.#execDirectly(command, { ...options, user: await this.#numericUser(options.user) });
    }
    // Sessions write to /run. Without systemd, /run is not a tmpfs and its files would end up in a committed image.
    const session =
      this.#init === 'systemd' && fitsSession(options) ? await this.#sessions.claim(options.signal) : undefined;
    return session === undefined
      ? await this.#execDirectly(command, options)
      : await this.#execInSession(session, command, options);
  }

  /** Files in the container belong to root, regardless of the owner of the source. */
  async copyIn(source: string, targetDirectory: string): Promise<void> {
    const archive = create({ cwd: dirname(source), portable: true, strict: true }, [`./${basename(source)}`]);
    const result = await runCommand(
      [this.#engine, 'exec', '--interactive', this.name, 'sh', '-c', UNPACK, 'kubeparcel', targetDirectory],
      { stdin: Readable.from(archive as AsyncIterable<Uint8Array>) },
    );
    this.#requireSuccess(result, `cannot copy ${source} into the container`, targetDirectory);
  }

  async copyOut(source: string, targetDirectory: string): Promise<void> {
    await mkdir(targetDirectory, { recursive: true });
    const sink = extract({
      cwd: targetDirectory,
      strict: true,
      preserveOwner: false,
    }) as unknown as NodeJS.WritableStream;
    const unpacked = finished(sink).then(
      () => undefined,
      (error: unknown) => error,
    );
    const pack = ['tar', '--create', `--directory=${posix.dirname(source)}`, '--file=-', '--', posix.basename(source)];
    const result = await runCommand([this.#engine, 'exec', this.name, ...pack], { output: sink });
    this.#requireSuccess(result, 'cannot copy a file out of the container', source);
    const cause = await unpacked;
    if (cause !== undefined) {
      throw new KubeparcelError('io', 'cannot unpack a file of the container', { where: targetDirectory, cause });
    }
  }

  async logs(): Promise<string> {
    const printed = await runCommand([this.#engine, 'logs', this.name], { timeout: LOGS_TIMEOUT });
    const output = printed.stdout + printed.stderr;
    if (this.#init === 'none') return output;
    const command = ['journalctl', '--no-pager', '--boot'];
    const journal = await this.exec(command, { timeout: LOGS_TIMEOUT }).catch(() => undefined);
    return journal?.status === 0 ? journal.stdout : output;
  }

  async remove(): Promise<void> {
    this.#sessions.end();
    await this.#remove();
  }

  commandLine(command: readonly string[], { interactive }: { readonly interactive?: boolean } = {}): readonly string[] {
    return [this.#engine, 'exec', ...(interactive ? ['-it'] : []), this.name, ...command];
  }

  /**
   * Waits until systemd has booted and sets `failedUnits`. The waiting is one script in the container, since each call of
   * the engine takes longer than the boot.
   *
   * @throws KubeparcelError of kind 'io', with the end of the logs, if systemd does not boot
   */
  async waitForBoot(signal: AbortSignal | undefined): Promise<void> {
    const options = { timeout: BOOT_TIMEOUT, signal };
    const { status, stdout, stderr, timedOut } = await this.exec(['sh', '-c', WAIT_FOR_BOOT], options);
    const [state = '', ...failed] = stdout.trim().split('\n');
    if (status === 0 && ['running', 'degraded'].includes(state)) {
      this.failedUnits = failed.map((line) => line.split(' ')[0] ?? '').filter((unit) => unit !== '');
      return;
    }
    const problem = timedOut ? `systemd did not boot within ${BOOT_TIMEOUT / 1000} s` : 'systemd did not boot';
    const detail = timedOut ? '' : `: ${state || stderr.trim()}`;
    const log = await this.logs().catch(() => '');
    throw new KubeparcelError('io', `${problem}${detail}\n  ${log.trim().split('\n').slice(-15).join('\n  ')}`, {
      where: this.name,
    });
  }

  /**
   * timeout(1) in the container ends the process there; killing the engine's client would leave it running. The client is
   * killed if the container does not answer.
   */
  async #execDirectly(command: readonly string[], options: ExecOptions): Promise<ExecResult> {
    const limit = options.timeout ?? DEFAULT_TIMEOUT;
    const result = await runCommand(
      [
        this.#engine,
        'exec',
        ...(options.stdin === undefined ? [] : ['--interactive']),
        ...(options.user === undefined ? [] : [`--user=${options.user}`]),
        ...Object.entries(options.environment ?? {}).map(([variable, value]) => `--env=${variable}=${value}`),
        this.name,
        'timeout',
        `--kill-after=${GRACE / 1000}`,
        String(limit / 1000),
        ...command,
      ],
      { timeout: limit + GRACE + ENGINE_GRACE, stdin: options.stdin, signal: options.signal },
    );
    this.#requireRunning(result);
    return execResult(command, result, limit);
  }

  async #execInSession(
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
      this.#requireRunning({ ...result, status: 255 });
      // Throws if the container has ended too.
      if (!result.timedOut) await this.#execDirectly(['true'], {});
    }
    return execResult(command, result, limit);
  }

  /**
   * podman looks user names up in the container's files as this process sees them. In a private mount namespace these are
   * other files, so the names are looked up inside the container.
   *
   * @returns UID:GID
   */
  async #numericUser(user: string): Promise<string> {
    if (/^\d+(:\d+)?$/.test(user)) return user;
    const known = this.#users.get(user);
    if (known !== undefined) return known;
    const script = 'printf %s:%s "$(id -u -- "$1")" "$(id -g -- "$1")"';
    const { stdout } = await this.#execDirectly(['sh', '-c', script, 'kubeparcel', user], {});
    if (!/^\d+:\d+$/.test(stdout)) throw new KubeparcelError('usage', `no such user: ${user}`, { where: this.name });
    this.#users.set(user, stdout);
    return stdout;
  }

  #requireSuccess(result: CommandResult, problem: string, where: string): void {
    this.#requireRunning(result);
    requireSuccess(this.#engine, result, problem, where);
  }

  /** Throws if the engine failed instead of the command. */
  #requireRunning(result: CommandResult): void {
    requireStarted(this.#engine, result);
    if (result.status !== 0 && NOT_RUNNING.test(result.stderr)) {
      throw new KubeparcelError('io', `the container is not running: ${result.stderr.trim()}`, { where: this.name });
    }
  }
}

/** The session of a container, opened on first use. Commands that start while it is in use run without it. */
class Sessions {
  readonly #engineExec: readonly string[];
  #session: ShellSession | undefined;
  #opening = false;
  #disabled = false;

  constructor(engineExec: readonly string[]) {
    this.#engineExec = engineExec;
  }

  /** @returns undefined while the session is in use, and if the container cannot have one */
  async claim(signal: AbortSignal | undefined): Promise<ShellSession | undefined> {
    if (this.#session?.claim()) return this.#session;
    if (this.#disabled || this.#opening || (this.#session !== undefined && !this.#session.ended)) return undefined;
    this.#opening = true;
    try {
      this.#session = await ShellSession.open(this.#engineExec, signal);
      this.#disabled ||= this.#session === undefined;
      return this.#session?.claim() ? this.#session : undefined;
    } finally {
      this.#opening = false;
    }
  }

  end(): void {
    this.#disabled = true;
    this.#session?.end();
  }
}

function fitsSession({ stdin }: ExecOptions): boolean {
  return stdin === undefined || (typeof stdin === 'string' && stdin.length <= MAX_SESSION_INPUT);
}

function execResult(command: readonly string[], result: CommandResult, limit: number): ExecResult {
  const { status, stdout, stderr, milliseconds } = result;
  // Statuses of timeout(1): 124 after SIGTERM, 137 after SIGKILL.
  const timedOut = result.timedOut || (milliseconds >= limit && [124, 137].includes(status ?? 124));
  return { command, status: timedOut ? 124 : (status ?? 255), timedOut, stdout, stderr, milliseconds };
}

/** @throws KubeparcelError of kind 'io' for every status but 0 */
export function requireSuccess(engine: EngineName, result: CommandResult, problem: string, where: string): void {
  requireStarted(engine, result);
  if (result.status !== 0) throw new KubeparcelError('io', `${problem}: ${lastLine(result)}`, { where });
}

function requireStarted(engine: EngineName, { status, stderr }: CommandResult): void {
  if (status === undefined && stderr !== '') {
    throw new KubeparcelError('io', `cannot run ${engine}: ${stderr.trim()}`);
  }
}

export function lastLine({ stdout, stderr, status }: CommandResult): string {
  return (stderr.trim() || stdout.trim()).split('\n').at(-1) || `status ${status ?? 'unknown'}`;
}

const UNPACK = 'mkdir -p -- "$1" && exec tar --extract --no-same-owner --directory="$1" --file=-';

const NOT_RUNNING =
  /^Error(: | response from daemon: )(no (such )?container|no container with name|can only create exec sessions on running|container [0-9a-zA-Z]+ is not running|No such container)/m;

const WAIT_FOR_BOOT = `while :; do
  state=$(systemctl is-system-running 2>/dev/null)
  case $state in
    running | degraded) break ;;
    maintenance | stopping) echo "$state"; exit 1 ;;
  esac
  sleep 0.05
done
echo "$state"
systemctl list-units --failed --plain --no-legend --no-pager
`;
