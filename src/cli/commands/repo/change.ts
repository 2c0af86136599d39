import type { CommandModule } from 'yargs';
import type { RepositoryPackage } from '../../../repo/model/repository.ts';
import { KubeparcelError } from '../../../support/errors.ts';
import { WORD } from '../../options/release-options.ts';
import {
  CHANNEL,
  channelOf,
  type RepoWriteArguments,
  repoWriteOptions,
  writeOptions,
} from '../../options/repo-options.ts';

const SELECTION = 'Files, NAME, NAME=VERSION, or v1.36 for a minor';
const DRY_RUN = { type: 'boolean', default: false, describe: 'Say what would go, and stop' } as const;

interface RemoveArguments extends RepoWriteArguments {
  packages: string[];
  channel: string | undefined;
  'dry-run': boolean;
}

export const repoRemoveCommand: CommandModule<object, RemoveArguments> = {
  command: 'remove <dir> <packages..>',
  describe: 'Take packages out of a channel, or of all',
  builder: (yargs) =>
    repoWriteOptions(yargs)
      .positional('packages', { type: 'string', array: true, demandOption: true, describe: SELECTION })
      .option('channel', { ...CHANNEL, describe: 'Out of this one only', defaultDescription: 'all' })
      .option('dry-run', DRY_RUN)
      .example('$0 repo remove site kubelet=1.36.3 --key packages.key', 'One version, all architectures')
      .example('$0 repo remove site v1.31 --dry-run', 'What a whole minor would be'),
  handler: async (args) => {
    const { removePackages } = await import('../../../repo/operations/remove.ts');
    const { renderTaken } = await import('../../render/repo.ts');
    const channel = args.channel === undefined ? undefined : channelOf(args.channel);
    const options = { ...(await writeOptions(args)), channel, dryRun: args['dry-run'] };
    const result = await removePackages(args.dir, args.packages, options);
    process.stdout.write(`${args.json ? JSON.stringify(result) : renderTaken(result, args['dry-run'])}\n`);
  },
};

interface PruneArguments extends RepoWriteArguments {
  channel: string | undefined;
  patches: number | undefined;
  minors: number | undefined;
  'dry-run': boolean;
}

export const repoPruneCommand: CommandModule<object, PruneArguments> = {
  command: 'prune <dir>',
  describe: 'Take out of a channel what is too old',
  builder: (yargs) =>
    repoWriteOptions(yargs)
      .option('channel', { ...CHANNEL, describe: 'Which channel', defaultDescription: 'stable' })
      .option('patches', { ...WORD, type: 'number', describe: 'Newest patches of each minor that stay' })
      .option('minors', { ...WORD, type: 'number', describe: 'Newest minors that stay' })
      .option('dry-run', DRY_RUN)
      .example('$0 repo prune site --patches 3 --minors 5 --key packages.key', 'Three of each of the last five')
      .example('$0 repo prune site --channel nightly --patches 1 --dry-run', 'What that would take out'),
  handler: async (args) => {
    const { prunePackages } = await import('../../../repo/operations/remove.ts');
    const { renderTaken } = await import('../../render/repo.ts');
    for (const flag of ['patches', 'minors'] as const) {
      const count = args[flag];
      if (count !== undefined && (!Number.isInteger(count) || count < 1)) {
        throw new KubeparcelError('usage', 'a count of at least 1 is needed', { where: `--${flag}` });
      }
    }
    if (args.patches === undefined && args.minors === undefined) {
      throw new KubeparcelError('usage', 'nothing says what stays', { hint: 'give --patches, --minors or both' });
    }
    const policy = { channel: channelOf(args.channel), patches: args.patches, minors: args.minors };
    const options = { ...(await writeOptions(args)), dryRun: args['dry-run'] };
    const result = await prunePackages(args.dir, policy, options);
    process.stdout.write(`${args.json ? JSON.stringify(result) : renderTaken(result, args['dry-run'])}\n`);
  },
};

interface PromoteArguments extends RepoWriteArguments {
  packages: string[];
  from: string | undefined;
  to: string | undefined;
  unchecked: boolean;
}

export const repoPromoteCommand: CommandModule<object, PromoteArguments> = {
  command: 'promote <dir> [packages..]',
  describe: 'Offer packages of one channel in the next, unchanged',
  builder: (yargs) =>
    repoWriteOptions(yargs)
      .positional('packages', {
        type: 'string',
        array: true,
        default: [],
        describe: SELECTION,
        defaultDescription: 'all of the channel',
      })
      .option('from', { ...CHANNEL, describe: 'Where they are', defaultDescription: 'testing' })
      .option('to', { ...CHANNEL, describe: 'Where they go too', defaultDescription: 'stable' })
      .option('unchecked', {
        type: 'boolean',
        default: false,
        describe: 'Promote what cannot be installed (repo check)',
      })
      .example('$0 repo promote site v1.36 --key packages.key', 'A minor, from testing to stable')
      .example('$0 repo promote site --from nightly --to testing', 'All there is'),
  handler: async (args) => {
    const { promotePackages } = await import('../../../repo/operations/promote.ts');
    const { renderPromoted } = await import('../../render/repo.ts');
    const channels = { from: channelOf(args.from ?? 'testing'), to: channelOf(args.to ?? 'stable') };
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
};
