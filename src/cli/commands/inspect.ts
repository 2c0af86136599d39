import { defineCommand, JSON_LINES } from '../options/flags.ts';

export const inspectCommand = defineCommand({
  command: 'inspect <files..>',
  describe: 'Show packages and verify digests',
  builder: (yargs) =>
    yargs
      .positional('files', { type: 'string', array: true, demandOption: true, describe: '.deb and .rpm files' })
      .option('json', JSON_LINES)
      .example('$0 inspect dist/kubelet_1.36.4-1_amd64.deb', 'Metadata, relations, scripts, entries, digests')
      .example("$0 inspect --json *.rpm | jq '.layout.version'", 'Print one field of each package'),
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
});
