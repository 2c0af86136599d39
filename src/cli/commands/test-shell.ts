import type { CommandModule } from 'yargs';
import { KubeparcelError } from '../../support/errors.ts';

interface ShellArguments {
  name: string;
  words: string[];
}

/** Where the image has bash, bash. */
const SHELL = ['sh', '-c', 'command -v bash >/dev/null && exec bash; exec sh'];

export const shellCommand: CommandModule<object, ShellArguments> = {
  command: 'shell <name> [words..]',
  describe: 'A shell, or a command, in a container that --keep left',
  builder: (yargs) =>
    yargs
      .parserConfiguration({ 'unknown-options-as-args': true, 'populate--': false })
      .strict(false)
      .positional('name', {
        type: 'string',
        demandOption: true,
        describe: 'The container; or HOST-SCENARIO, where one was kept',
      })
      .positional('words', { type: 'string', array: true, default: [], describe: 'A command and its arguments' })
      .example('$0 test shell debian-12-service-flags', 'A shell')
      .example('$0 test shell debian-12-service-flags systemctl cat kubelet', 'A command'),
  handler: async ({ name, words }) => {
    const { spawn } = await import('node:child_process');
    const { findEngine } = await import('../../container/find-engine.ts');
    const engine = await findEngine();
    const containers = await engine.listContainers();
    const found = containers.filter((one) => one.name === name || one.name.endsWith(`-${name}`));
    const [container] =
      found.filter((one) => one.name === name).length === 1 ? found.filter((one) => one.name === name) : found;
    if (container === undefined || found.length > 1) {
      const names = containers.map((one) => one.name).join(', ');
      throw new KubeparcelError(
        'usage',
        found.length > 1 ? `several containers are called ${name}` : `there is no container ${name}`,
        {
          hint: names === '' ? 'keep one: kubeparcel test --keep' : `there are ${names}`,
        },
      );
    }
    const interactive = process.stdin.isTTY === true && process.stdout.isTTY === true;
    const attached = await engine.attach(container.name);
    const [program = '', ...parameters] = attached.commandLine(words.length === 0 ? SHELL : words, { interactive });
    const child = spawn(program, parameters, { stdio: 'inherit' });
    process.exitCode = await new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (status) => resolve(status ?? 1));
    });
  },
};
