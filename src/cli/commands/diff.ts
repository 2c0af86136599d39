import type { CommandModule } from 'yargs';

interface DiffArguments {
  a: string;
  b: string;
  json: boolean;
}

/** As diff(1): 0 when there is no difference, 1 when there are some. */
const DIFFERENT = 1;

export const diffCommand: CommandModule<object, DiffArguments> = {
  command: 'diff <a> <b>',
  describe: 'Tell two packages apart, also a DEB from an RPM',
  builder: (yargs) =>
    yargs
      .positional('a', { type: 'string', demandOption: true, describe: 'A package' })
      .positional('b', { type: 'string', demandOption: true, describe: 'Another one' })
      .option('json', { type: 'boolean', default: false, describe: 'A JSON array of differences' })
      .example('$0 diff old/kubelet_1.36.3-1_amd64.deb dist/kubelet_1.36.4-1_amd64.deb', '')
      .example('$0 diff dist/kubelet_1.36.4-1_amd64.deb dist/kubelet-1.36.4-1.x86_64.rpm', '')
      .epilogue('Exit status: 0 no difference, 1 differences, others are failures.'),
  handler: async ({ a, b, json }) => {
    const { readPackage } = await import('../../pipeline/read-package.ts');
    const { diffLayouts } = await import('../../layout/diff.ts');
    const { renderDifferences } = await import('../render/package.ts');
    const [left, right] = await Promise.all([readPackage(a), readPackage(b)]);
    const differences = diffLayouts(left.layout, right.layout);
    if (json) {
      process.stdout.write(`${JSON.stringify(differences, undefined, 2)}\n`);
    } else if (differences.length === 0) {
      process.stdout.write('no difference in metadata, relations, scripts, entries and contents\n');
    } else {
      process.stdout.write(`--- ${a}\n+++ ${b}\n${renderDifferences(differences)}\n`);
    }
    process.exitCode = differences.length === 0 ? 0 : DIFFERENT;
  },
};
