import type { Container, Engine, ExecOptions, ExecResult, StartOptions } from '../../../src/container/engine.ts';

/** How a command of a fake container ends; by default with 0 and nothing said. */
export type Answering = (
  command: readonly string[],
  options: ExecOptions,
  container: string,
) =>
  | { status?: number; stdout?: string; stderr?: string }
  | Promise<{ status?: number; stdout?: string; stderr?: string }>;

export interface FakeEngine extends Engine {
  readonly started: readonly StartOptions[];
  readonly removed: readonly string[];
  /** Every command, those in scripts one by one. */
  readonly commands: readonly (readonly string[])[];
  /** Calls of exec. */
  readonly calls: () => number;
  /** How many containers ran at a time, at most. */
  readonly most: () => number;
}

/** An engine that remembers what was asked of it. Scripts of several commands are taken apart as a shell would. */
export function fakeEngine(answer: Answering = () => ({}), options: { withoutSystemd?: string } = {}): FakeEngine {
  const started: StartOptions[] = [];
  const removed: string[] = [];
  const commands: (readonly string[])[] = [];
  let calls = 0;
  let most = 0;

  async function one(command: readonly string[], exec: ExecOptions, name: string) {
    commands.push(command);
    exec.signal?.throwIfAborted();
    const { status = 0, stdout = '', stderr = '' } = await answer(command, exec, name);
    exec.signal?.throwIfAborted();
    return { status, stdout, stderr };
  }

  const container = (name: string, image: string): Container => ({
    name,
    image,
    failedUnits: [],
    exec: async (command, exec = {}): Promise<ExecResult> => {
      calls += 1;
      const frame = { command, timedOut: false, milliseconds: 1 };
      if (command.length !== 1 || command[0] !== 'sh') return { ...frame, ...(await one(command, exec, name)) };
      const lines = String(exec.stdin).split('\none ').slice(1);
      const answers: string[] = [];
      for (const line of lines) {
        const { status, stdout, stderr } = await one(words(line.replace(/\n$/, '')), exec, name);
        answers.push(`${status}\n${base64(stdout)}\n${base64(stderr)}\n`);
      }
      return { ...frame, status: 0, stdout: answers.join(''), stderr: '' };
    },
    copyIn: async () => {},
    copyOut: async () => {},
    logs: async () => '',
    remove: async () => {
      removed.push(name);
    },
    commandLine: (command) => ['podman', 'exec', name, ...command],
  });
  const never = async () => {
    throw new Error('scenarios need no images');
  };
  return {
    name: 'podman',
    version: '0',
    notes: [],
    withoutSystemd: options.withoutSystemd,
    findImage: never,
    pullImage: never,
    importImage: never,
    commit: never,
    listImages: async () => [],
    removeImage: never,
    listContainers: async () => [],
    clean: async () => [],
    attach: never,
    start: async (wanted) => {
      wanted.signal?.throwIfAborted();
      started.push(wanted);
      most = Math.max(most, started.length - removed.length);
      return container(wanted.name, wanted.image);
    },
    started,
    removed,
    commands,
    calls: () => calls,
    most: () => most,
  };
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

/** A line of shell words in single quotes or none, apart. */
function words(line: string): string[] {
  return [...line.matchAll(/(?:'[^']*'|\\'|[^\s'\\])+/g)].map(([word]) =>
    word.replace(/'([^']*)'|\\'/g, (_, inner: string | undefined) => inner ?? "'"),
  );
}
