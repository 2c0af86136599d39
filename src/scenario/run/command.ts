import type { Container } from '../../container/engine.ts';
import { KubeparcelError } from '../../support/errors.ts';
import { shellWords } from '../../support/shell-words.ts';
import { NOTES } from '../model/host.ts';
import type { Answer, Ask } from '../probes/probe.ts';

/** What all commands of a scenario are run with. */
export interface AskContext {
  readonly container: Container;
  readonly umask: string | undefined;
  readonly environment: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** One command, by the engine. */
export async function ask(one: Ask, context: AskContext): Promise<Answer> {
  const { command, stdin, environment, user, timeout } = one;
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
 * Several commands, in their order, in as few calls of the engine as can be: a call costs more than what checks ask. Those
 * without input, user and time of their own stand in one script on standard input, each word in quotes; so they are in no
 * process's arguments either, where pgrep -f would find them.
 */
export async function askAll(asks: readonly Ask[], context: AskContext): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (let index = 0; index < asks.length; ) {
    const one = asks[index];
    if (one === undefined) break;
    const together = asks.slice(index, firstApart(asks, index));
    if (together.length === 0) {
      answers.push(await ask(one, context));
      index += 1;
    } else {
      answers.push(...(await askTogether(together, context)));
      index += together.length;
    }
  }
  return answers;
}

function firstApart(asks: readonly Ask[], from: number): number {
  const index = asks.findIndex(
    ({ stdin, user, timeout }, at) =>
      at >= from && (stdin !== undefined || user !== undefined || timeout !== undefined),
  );
  return index === -1 ? asks.length : index;
}

/** Milliseconds for all of them. */
const TOGETHER = 120_000;

async function askTogether(asks: readonly Ask[], context: AskContext): Promise<Answer[]> {
  const { umask } = context;
  const lines = asks.map(({ command, environment = {} }) => {
    const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
    const words = variables.length === 0 ? command : ['env', ...variables, ...command];
    return `one ${shellWords(words)}`;
  });
  const script = `${SCRIPT}${umask === undefined ? '' : `umask ${umask}\n`}${lines.join('\n')}\n`;
  const { stdout, stderr, status } = await context.container.exec(['sh'], {
    stdin: script,
    environment: context.environment,
    timeout: TOGETHER,
    signal: context.signal,
  });
  const parts = stdout.split('\n');
  if (parts.length !== 3 * asks.length + 1) {
    throw new KubeparcelError(
      'io',
      `commands in a container gave no whole answer (status ${status}): ${stderr.trim()}`,
      {
        where: context.container.name,
      },
    );
  }
  return asks.map((_, index) => {
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
