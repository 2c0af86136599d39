import { KubeparcelError } from '../../../support/errors.ts';
import { defineCommand, LIST } from '../../options/flags.ts';
import { CHANNEL, repoWriteOptions, writeOptions } from '../../options/repo-options.ts';

export const repoAddCommand = defineCommand({
  command: 'add <dir> <packages..>',
  describe: 'Add packages to a channel',
  builder: (yargs) =>
    repoWriteOptions(yargs)
      .positional('packages', { type: 'string', array: true, demandOption: true, describe: '.deb and .rpm files' })
      .option('channel', { ...CHANNEL, default: 'stable', describe: 'Channel' })
      .option('minor', {
        ...LIST,
        describe: 'Kubernetes minor versions of the packages: 1.36,1.37',
        defaultDescription: 'from their versions',
      })
      .example(
        '$0 repo add site dist/*.deb dist/*.rpm --key packages.key',
        'Add all built packages to the channel stable',
      )
      .example('$0 repo add site dist/*.deb --channel testing', 'Add to another channel')
      .example(
        '$0 repo add site kubernetes-cni_1.9.1-1_amd64.deb --minor 1.36,1.37',
        'Set the minor versions explicitly',
      )
      .epilogue('Creates the repository if it does not exist.'),
  handler: async (args) => {
    const { addPackages } = await import('../../../repo/operations/add.ts');
    const { renderAdded } = await import('../../render/repo.ts');
    const invalid = args.minor?.find((minor) => !/^\d+\.\d+$/.test(minor));
    if (invalid !== undefined) {
      throw new KubeparcelError('usage', `invalid minor version ${JSON.stringify(invalid)}`, {
        where: '--minor',
        hint: 'expected a version like 1.36',
      });
    }
    const options = { ...(await writeOptions(args)), channel: args.channel, minors: args.minor };
    const result = await addPackages(args.dir, args.packages, options);
    process.stdout.write(`${args.json ? JSON.stringify(result) : renderAdded(args.dir, result, options)}\n`);
  },
});
