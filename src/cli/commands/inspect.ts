import type { CommandModule } from 'yargs';

interface InspectArguments {
  files: string[];
  json: boolean;
}

export const inspectCommand: CommandModule<object, InspectArguments> = {
  command: 'inspect <files..>',
  describe: 'Show what is in a .deb or .rpm, and check every digest in it',
  builder: (yargs) =>
    yargs
      .positional('files', { type: 'string', array: true, demandOption: true, describe: 'Packages, of any origin' })
      .option('json', { type: 'boolean', default: false, describe: 'One JSON object a line' })
      .example('$0 inspect dist/kubelet_1.36.4-1_amd64.deb', 'Metadata, relations, scripts, entries, digests')
      .example("$0 inspect --json *.rpm | jq '.layout.version'", 'The same for programs'),
  handler: async ({ files, json }) => {
    const { readPackage } = await import('../../pipeline/read-package.ts');
    const { packageAsJson, renderPackage } = await import('../render/package.ts');
    for (const [index, file] of files.entries()) {
      const read = await readPackage(file);
      if (json) {
        process.stdout.write(`${JSON.stringify(packageAsJson(file, read))}\n`);
      } else {
        process.stdout.write(`${index === 0 ? '' : '\n\n'}${renderPackage(file, read)}\n`);
      }
    }
  },
};
