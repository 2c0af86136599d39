import { defineCommand } from '../options/flags.ts';

/** yargs does not parse the words after `config`: they are the command line of kubelet-confgen. */
export const configCommand = defineCommand({
  command: 'config [words..]',
  describe: 'Run kubelet-confgen',
  builder: (yargs) =>
    yargs
      .help(false)
      .version(false)
      .strict(false)
      .parserConfiguration({ 'unknown-options-as-args': true, 'populate--': false })
      .positional('words', { type: 'string', array: true, default: [], describe: 'Command of kubelet-confgen' })
      .example('$0 config explain --root /mnt/image', 'All findings in an image, with evidence')
      .example('$0 config --help', 'Commands of kubelet-confgen'),
  handler: async () => {
    const { loadCatalog } = await import('../../catalog/catalog.ts');
    const { generatorData } = await import('../../catalog/generator-data.ts');
    const { main, rootFlag } = await import('../../confgen/commands/main.ts');
    const { nodeHost } = await import('../../confgen/host/node-host.ts');
    const { resolve } = await import('node:path');
    const argv = process.argv.slice(process.argv.indexOf('config') + 1);
    const data = generatorData(await loadCatalog(), undefined);
    const output = {
      out: (text: string) => void process.stdout.write(text),
      err: (text: string) => void process.stderr.write(text),
    };
    process.exitCode = main(argv, nodeHost(resolve(rootFlag(argv))), output, data);
  },
});
