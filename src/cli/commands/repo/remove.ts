import { defineCommand } from '../../options/flags.ts';
import {
  CHANNEL,
  PACKAGES_POSITIONAL,
  REMOVAL_DRY_RUN,
  repoWriteOptions,
  writeOptions,
} from '../../options/repo-options.ts';

export const repoRemoveCommand = defineCommand({
  command: 'remove <dir> <packages..>',
  describe: 'Remove packages from channels',
  builder: (yargs) =>
    repoWriteOptions(yargs)
      .positional('packages', { ...PACKAGES_POSITIONAL, demandOption: true })
      .option('channel', { ...CHANNEL, describe: 'Remove from this channel only', defaultDescription: 'all' })
      .option('dry-run', REMOVAL_DRY_RUN)
      .example('$0 repo remove site kubelet=1.36.3 --key packages.key', 'One version, all architectures')
      .example('$0 repo remove site v1.31 --dry-run', 'Show the packages of a minor version'),
  handler: async (args) => {
    const { removePackages } = await import('../../../repo/operations/remove.ts');
    const { renderRemoved } = await import('../../render/repo.ts');
    const options = { ...(await writeOptions(args)), channel: args.channel, dryRun: args['dry-run'] };
    const result = await removePackages(args.dir, args.packages, options);
    process.stdout.write(
      `${args.json ? JSON.stringify(result) : renderRemoved(result, args.channel, args['dry-run'])}\n`,
    );
  },
});
