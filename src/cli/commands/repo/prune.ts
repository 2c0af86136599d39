import { KubeparcelError } from '../../../support/errors.ts';
import { checkWholeNumber, defineCommand, NUMBER } from '../../options/flags.ts';
import { CHANNEL, REMOVAL_DRY_RUN, repoWriteOptions, writeOptions } from '../../options/repo-options.ts';

export const repoPruneCommand = defineCommand({
  command: 'prune <dir>',
  describe: 'Remove old versions from a channel',
  builder: (yargs) =>
    repoWriteOptions(yargs)
      .option('channel', { ...CHANNEL, default: 'stable', describe: 'Channel' })
      .option('patches', { ...NUMBER, describe: 'Patch releases to keep per minor version' })
      .option('minors', { ...NUMBER, describe: 'Minor versions to keep' })
      .option('dry-run', REMOVAL_DRY_RUN)
      .example('$0 repo prune site --patches 3 --minors 5 --key packages.key', 'Keep 3 patches of 5 minors')
      .example('$0 repo prune site --channel nightly --patches 1 --dry-run', 'Show what would be removed'),
  handler: async (args) => {
    const { prunePackages } = await import('../../../repo/operations/remove.ts');
    const { renderRemoved } = await import('../../render/repo.ts');
    checkWholeNumber('patches', args.patches, 1);
    checkWholeNumber('minors', args.minors, 1);
    if (args.patches === undefined && args.minors === undefined) {
      throw new KubeparcelError('usage', 'missing flag: --patches or --minors', {
        hint: 'state how many versions to keep, for example --patches 3',
      });
    }
    const policy = { channel: args.channel, patches: args.patches, minors: args.minors };
    const options = { ...(await writeOptions(args)), dryRun: args['dry-run'] };
    const result = await prunePackages(args.dir, policy, options);
    process.stdout.write(
      `${args.json ? JSON.stringify(result) : renderRemoved(result, args.channel, args['dry-run'])}\n`,
    );
  },
});
