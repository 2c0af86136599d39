import { defineCommand, toggle, VALUE } from '../../options/flags.ts';
import { interruptible } from '../../session/interruption.ts';

export const repoProvidedCommand = defineCommand({
  command: 'provided [distributions..]',
  describe: 'Update distribution package lists',
  builder: (yargs) =>
    yargs
      .positional('distributions', {
        type: 'string',
        array: true,
        default: [],
        describe: 'debian-12, el-9, ...',
        defaultDescription: 'all',
      })
      .option('out', { ...VALUE, describe: 'Output directory', defaultDescription: "kubeparcel's packaging/provided" })
      .option('mirror', { ...VALUE, describe: 'Base URL of another mirror, for one distribution' })
      .option('unverified', toggle('Use the names in packaging/distributions; do not download'))
      .example('$0 repo provided debian-12', 'Update the list that repo check uses')
      .example('$0 repo provided el-9 --mirror http://mirror.example/el9/{arch}/os', 'Use another mirror')
      .example('$0 repo provided sles-15 --unverified', 'For a distribution without public lists'),
  handler: async (args) => {
    const { updateProvided } = await import('../../../repo/closure/update-provided.ts');
    const { renderProvided } = await import('../../render/repo-closure.ts');
    const signal = interruptible();
    await updateProvided({ ...args, signal }, (written) => process.stdout.write(`${renderProvided(written)}\n`));
  },
});
