import { defineCommand, JSON_OUTPUT } from '../options/flags.ts';

/** Exit status if the packages differ, as for diff(1). */
const DIFFERENT = 1;

export const diffCommand = defineCommand({
  command: 'diff <a> <b>',
  describe: 'Compare two packages',
  builder: (yargs) =>
    yargs
      .positional('a', { type: 'string', demandOption: true, describe: 'First package' })
      .positional('b', { type: 'string', demandOption: true, describe: 'Second package' })
      .option('json', JSON_OUTPUT)
      .example('$0 diff old/kubelet_1.36.3-1_amd64.deb dist/kubelet_1.36.4-1_amd64.deb', '')
      .example('$0 diff dist/kubelet_1.36.4-1_amd64.deb dist/kubelet-1.36.4-1.x86_64.rpm', '')
      .epilogue(
        'The formats may differ. Exit status: 0 for no differences, 1 for differences, 2 or higher on failure.',
      ),
  handler: async ({ a, b, json }) => {
    const { readPackage } = await import('../../pipeline/read-package.ts');
    const { diffLayouts } = await import('../../layout/diff.ts');
    const { renderDifferences } = await import('../render/package.ts');
    const [left, right] = await Promise.all([readPackage(a), readPackage(b)]);
    const differences = diffLayouts(left.layout, right.layout);
    if (json) {
      process.stdout.write(`${JSON.stringify(differences, undefined, 2)}\n`);
    } else if (differences.length === 0) {
      process.stdout.write('no differences in metadata, relations, scripts, entries and contents\n');
    } else {
      process.stdout.write(`--- ${a}\n+++ ${b}\n${renderDifferences(differences)}\n`);
    }
    process.exitCode = differences.length === 0 ? 0 : DIFFERENT;
  },
});
