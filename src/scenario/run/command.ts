import type { Container } from '../../container/engine.ts';
import { KubeparcelError } from '../../support/errors.ts';
import { shellWords } from '../../support/shell-words.ts';
import { NOTES } from '../model/host.ts';
import type { Answer, ProbeCommand } from '../probes/probe.ts';

/** Settings of all commands of a scenario. */
export interface AskContext {
  readonly container: Container;
  readonly umask: string | undefined;
  readonly environment: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** Runs one command with the engine. */
export async function probeCommand(request: ProbeCommand, context: AskContext): Promise<Answer> {
  const { command, stdin, environment, user, timeout } = request;
  const { umask } = context;
  const whole = umask === undefined ? command : ['sh', '-c', `umask ${umask}; exec "$@"`, 'with-umask', ...command];
  return await context.container.exec(whole, {
    environment: { ...context.environment, ...environment },
    ...(stdin === undefined ? {} : { stdin }),
    ...(user === undefined ? {} : { user }),
    ...(timeout === undefined ? {} : { timeout: timeout * 1000 }),
    signal: context.signal,
  });
}

/**
 * Runs commands in order with as few engine calls as possible, because a call costs more than most commands. Commands
 * without input, user and timeout are joined in one script on standard input, which also hides them from pgrep -f.
 */
export async function askAll(commands: readonly ProbeCommand[], context: AskContext): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (let index = 0; index < commands.length; ) {
    const request = commands[index];
    if (request === undefined) break;
    const joined = commands.slice(index, nextSeparate(commands, index));
    if (joined.length === 0) {
      answers.push(await probeCommand(request, context));
      index += 1;
    } else {
      answers.push(...(await runScript(joined, context)));
      index += joined.length;
    }
  }
  return answers;
}

function nextSeparate(commands: readonly ProbeCommand[], from: number): number {
  const index = commands.findIndex(
    ({ stdin, user, timeout }, at) =>
      at >= from && (stdin !== undefined || user !== undefined || timeout !== undefined),
  );
  return index === -1 ? commands.length : index;
}

/** Milliseconds for all commands. */
const SCRIPT_TIMEOUT = 120_000;

async function runScript(commands: readonly ProbeCommand[], context: AskContext): Promise<Answer[]> {
  const { umask } = context;
  const lines = commands.map(({ command, environment = {} }) => {
    const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
    const words = variables.length === 0 ? command : ['env', ...variables, ...command];
    return `one ${shellWords(words)}`;
  });
  const script = `${SCRIPT}${umask === undefined ? '' : `umask ${umask}\n`}${lines.join('\n')}\n`;
  const { stdout, stderr, status } = await context.container.exec(['sh'], {
    stdin: script,
    environment: context.environment,
    timeout: SCRIPT_TIMEOUT,
    signal: context.signal,
  });
  const parts = stdout.split('\n');
  if (parts.length !== 3 * commands.length + 1) {
    throw new KubeparcelError(
      'io',
      `incomplete output of commands in a container (status ${status}): ${stderr.trim()}`,
      {
        where: context.container.name,
      },
    );
  }
  return commands.map((_, index) => {
    const [code = '', out = '', err = ''] = parts.slice(3 * index);
    return { status: Number(code), stdout: decoded(out), stderr: decoded(err) };
  });
}

/** Each answer is three lines: status, standard output and standard error in Base64. */
const SCRIPT = `mkdir -p ${NOTES}
one() {
  "$@" >${NOTES}/out 2>${NOTES}/err </dev/null
  echo $?
  base64 --wrap=0 ${NOTES}/out
  echo
  base64 --wrap=0 ${NOTES}/err
  echo
}
`;

function decoded(base64: string): string {
  return Buffer.from(base64, 'base64').toString('utf8');
}
