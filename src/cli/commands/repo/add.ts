import type { CommandModule } from 'yargs';
import { KubeparcelError } from '../../../support/errors.ts';
import {
  CHANNEL,
  channelOf,
  LIST,
  type RepoWriteArguments,
  repoWriteOptions,
  writeOptions,
} from '../../options/repo-options.ts';

interface AddArguments extends RepoWriteArguments {
  packages: string[];
  channel: string | undefined;
  minor: string[] | undefined;
}

export const repoAddCommand: CommandModule<object, AddArguments> = {
  command: 'add <dir> <packages..>',
  describe: 'Add packages; make the repository when there is none',
  builder: (yargs) =>
    repoWriteOptions(yargs)
      .positional('packages', { type: 'string', array: true, demandOption: true, describe: '.deb and .rpm files' })
      .option('channel', { ...CHANNEL, describe: 'Which channel', defaultDescription: 'stable' })
      .option('minor', {
        ...LIST,
        describe: 'Minors of Kubernetes that they go with: 1.36,1.37',
        defaultDescription: 'by their versions',
      })
      .example('$0 repo add site dist/* --key packages.key', 'All that was built, into channel stable')
      .example('$0 repo add site dist/* --channel testing', 'Into another channel')
      .example('$0 repo add site kubernetes-cni_1.9.1-1_amd64.deb --minor 1.36,1.37', 'Where the version says nothing'),
  handler: async (args) => {
    const { addPackages } = await import('../../../repo/operations/add.ts');
    const { renderAdded } = await import('../../render/repo.ts');
    const wrong = args.minor?.find((minor) => !/^\d+\.\d+$/.test(minor));
    if (wrong !== undefined) {
      throw new KubeparcelError('usage', `no minor of Kubernetes: ${wrong}`, {
        where: '--minor',
        hint: 'write it as 1.36',
      });
    }
    const options = { ...(await writeOptions(args)), channel: channelOf(args.channel), minors: args.minor };
    const result = await addPackages(args.dir, args.packages, options);
    process.stdout.write(`${args.json ? JSON.stringify(result) : renderAdded(args.dir, result, options)}\n`);
  },
};
