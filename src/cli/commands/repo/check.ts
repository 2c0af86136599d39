import { EXIT_STATUS } from '../../../support/errors.ts';
import { defineCommand, JSON_OUTPUT, LIST, VALUE } from '../../options/flags.ts';
import { CHANNEL, repoDirectory } from '../../options/repo-options.ts';
import { interruptible } from '../../session/interruption.ts';

export const repoCheckCommand = defineCommand({
  command: 'check <dir>',
  describe: 'Check that packages are installable',
  builder: (yargs) =>
    repoDirectory(yargs)
      .option('channel', { ...CHANNEL, describe: 'Channel', defaultDescription: 'all' })
      .option('distro', { ...LIST, describe: 'Distributions', defaultDescription: 'all known' })
      .option('provided', {
        ...VALUE,
        describe: 'Directory with lists of distribution packages',
        defaultDescription: "kubeparcel's own",
      })
      .option('json', JSON_OUTPUT)
      .example('$0 repo check site', 'Check all relations on all distributions')
      .example('$0 repo check site --channel stable --distro debian-12,el-9', 'Check one channel on two distributions'),
  handler: async (args) => {
    const { checkRepository } = await import('../../../repo/closure/check-repository.ts');
    const { renderClosure } = await import('../../render/repo-closure.ts');
    const { channel, distro: distributions, provided } = args;
    const closure = await checkRepository(args.dir, { channel, distributions, provided, signal: interruptible() });
    const text = args.json ? JSON.stringify(closure) : renderClosure(closure.report, closure.distributions);
    process.stdout.write(`${text}\n`);
    if (closure.report.faults.length > 0) process.exitCode = EXIT_STATUS.verification;
  },
});
