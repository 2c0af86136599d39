import type { CommandModule } from 'yargs';
import { EXIT_STATUS } from '../../../support/errors.ts';
import { WORD } from '../../options/release-options.ts';
import { CHANNEL, channelOf, directory, LIST } from '../../options/repo-options.ts';
import { interruptible } from '../../session/interruption.ts';

interface CheckArguments {
  dir: string;
  channel: string | undefined;
  distro: string[] | undefined;
  provided: string | undefined;
  json: boolean;
}

export const repoCheckCommand: CommandModule<object, CheckArguments> = {
  command: 'check <dir>',
  describe: 'Prove that everything can be installed',
  builder: (yargs) =>
    directory(yargs)
      .option('channel', { ...CHANNEL, describe: 'Which channel', defaultDescription: 'all' })
      .option('distro', { ...LIST, describe: 'On which distributions', defaultDescription: 'all that are known' })
      .option('provided', {
        ...WORD,
        describe: 'Directory of lists of what distributions have',
        defaultDescription: "kubeparcel's own",
      })
      .option('json', { type: 'boolean', default: false, describe: 'As JSON' })
      .example('$0 repo check site', 'Every relation of every package, on every distribution')
      .example('$0 repo check site --channel stable --distro debian-12,el-9', 'Of one channel, on two of them'),
  handler: async (args) => {
    const { checkRepository } = await import('../../../repo/closure/check-repository.ts');
    const { renderClosure } = await import('../../render/repo-closure.ts');
    const channel = args.channel === undefined ? undefined : channelOf(args.channel);
    const { distro: distributions, provided } = args;
    const closure = await checkRepository(args.dir, { channel, distributions, provided, signal: interruptible() });
    const text = args.json ? JSON.stringify(closure) : renderClosure(closure.report, closure.distributions);
    process.stdout.write(`${text}\n`);
    if (closure.report.faults.length > 0) process.exitCode = EXIT_STATUS.verification;
  },
};
