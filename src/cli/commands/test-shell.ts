import { KubeparcelError } from '../../support/errors.ts';
import { defineCommand } from '../options/flags.ts';

/** bash if the image has it, else sh. */
const SHELL = ['sh', '-c', 'command -v bash >/dev/null && exec bash; exec sh'];

export const shellCommand = defineCommand({
  command: 'shell <name> [words..]',
  describe: 'Open a shell or run a command in a kept container',
  builder: (yargs) =>
    yargs
      .parserConfiguration({ 'unknown-options-as-args': true, 'populate--': false })
      .strict(false)
      .positional('name', {
        type: 'string',
        demandOption: true,
        describe: 'Name of the container, or HOST-SCENARIO',
      })
      .positional('words', { type: 'string', array: true, default: [], describe: 'Command and its arguments' })
      .example('$0 test shell debian-12-service-flags', 'Open a shell')
      .example('$0 test shell debian-12-service-flags systemctl cat kubelet', 'Run a command'),
  handler: async ({ name, words }) => {
    const { spawn } = await import('node:child_process');
    const { findEngine } = await import('../../container/find-engine.ts');
    const engine = await findEngine();
    const container = selectContainer(
      name,
      (await engine.listContainers()).map((each) => each.name),
    );
    const interactive = process.stdin.isTTY === true && process.stdout.isTTY === true;
    const attached = await engine.attach(container);
    const [program = '', ...parameters] = attached.commandLine(words.length === 0 ? SHELL : words, { interactive });
    const child = spawn(program, parameters, { stdio: 'inherit' });
    process.exitCode = await new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (status) => resolve(status ?? 1));
    });
  },
});

/** @throws KubeparcelError of kind 'usage' unless the name or the end of a name identifies one container */
function selectContainer(name: string, containers: readonly string[]): string {
  if (containers.includes(name)) return name;
  const [found, ...others] = containers.filter((each) => each.endsWith(`-${name}`));
  if (found !== undefined && others.length === 0) return found;
  const what = found === undefined ? 'no container is' : 'several containers are';
  throw new KubeparcelError('usage', `${what} named ${JSON.stringify(name)}`, {
    hint:
      containers.length === 0
        ? 'there are no containers; keep those of failed scenarios with kubeparcel test --keep'
        : `expected ${containers.join(', ')}`,
  });
}
