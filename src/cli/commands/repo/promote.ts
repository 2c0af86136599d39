import type { RepositoryPackage } from '../../../repo/model/repository.ts';
import { defineCommand, toggle } from '../../options/flags.ts';
import { CHANNEL, PACKAGES_POSITIONAL, repoWriteOptions, writeOptions } from '../../options/repo-options.ts';

export const repoPromoteCommand = defineCommand({
  command: 'promote <dir> [packages..]',
  describe: 'Add packages to another channel',
  builder: (yargs) =>
    repoWriteOptions(yargs)
      .positional('packages', { ...PACKAGES_POSITIONAL, default: [], defaultDescription: 'all in the channel' })
      .option('from', { ...CHANNEL, default: 'testing', describe: 'Source channel' })
      .option('to', { ...CHANNEL, default: 'stable', describe: 'Target channel' })
      .option('unchecked', toggle('Promote even if packages cannot be installed (repo check)'))
      .example('$0 repo promote site v1.36 --key packages.key', 'One minor version, from testing to stable')
      .example('$0 repo promote site --from nightly --to testing', 'All packages in nightly'),
  handler: async (args) => {
    const { promotePackages } = await import('../../../repo/operations/promote.ts');
    const { renderPromoted } = await import('../../render/repo.ts');
    const channels = { from: args.from, to: args.to };
    const options = await writeOptions(args);
    const gate = async (packages: readonly RepositoryPackage[]) => {
      const { checkPackages, refuseFaults } = await import('../../../repo/closure/check-repository.ts');
      refuseFaults(await checkPackages(args.dir, packages, { channel: channels.to, signal: options.signal }), args.dir);
    };
    const result = await promotePackages(args.dir, args.packages, {
      ...options,
      ...channels,
      gate: args.unchecked ? undefined : gate,
    });
    process.stdout.write(`${args.json ? JSON.stringify(result) : renderPromoted(result, channels.to)}\n`);
  },
});
