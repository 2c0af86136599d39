import type { CommandModule } from 'yargs';

interface ConfigArguments {
  words: string[];
}

/** The words after `config` are kubelet-confgen's; yargs reads none of them. */
export const configCommand: CommandModule<object, ConfigArguments> = {
  command: 'config [words..]',
  describe: 'What kubelet-confgen does on hosts, here or below --root DIR',
  builder: (yargs) =>
    yargs
      .help(false)
      .version(false)
      .strict(false)
      .parserConfiguration({ 'unknown-options-as-args': true, 'populate--': false })
      .positional('words', { type: 'string', array: true, default: [], describe: 'A command of kubelet-confgen' })
      .example('$0 config explain --root /mnt/image', 'Every finding in an image, with its evidence')
      .example('$0 config --help', 'Its commands'),
  handler: async () => {
    const { loadCatalog } = await import('../../catalog/catalog.ts');
    const { generatorData } = await import('../../catalog/generator-data.ts');
    const { main } = await import('../../confgen/commands/main.ts');
    const { nodeHost } = await import('../../confgen/host/node-host.ts');
    const { rootOf } = await import('../../confgen/commands/root-flag.ts');
    const { resolve } = await import('node:path');
    const argv = process.argv.slice(process.argv.indexOf('config') + 1);
    const data = generatorData(await loadCatalog(), undefined);
    const output = {
      out: (text: string) => void process.stdout.write(text),
      err: (text: string) => void process.stderr.write(text),
    };
    process.exitCode = main(argv, nodeHost(resolve(rootOf(argv))), output, data);
  },
};
