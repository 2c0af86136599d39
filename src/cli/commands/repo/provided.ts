import type { CommandModule } from 'yargs';
import { WORD } from '../../options/release-options.ts';
import { interruptible } from '../../session/interruption.ts';

interface ProvidedArguments {
  distributions: string[];
  out: string | undefined;
  mirror: string | undefined;
  unverified: boolean;
}

export const repoProvidedCommand: CommandModule<object, ProvidedArguments> = {
  command: 'provided [distributions..]',
  describe: 'Read what distributions have, for repo check',
  builder: (yargs) =>
    yargs
      .positional('distributions', {
        type: 'string',
        array: true,
        default: [],
        describe: 'debian-12, el-9, ...',
        defaultDescription: 'all of them',
      })
      .option('out', { ...WORD, describe: 'Where the lists go', defaultDescription: "kubeparcel's packaging/provided" })
      .option('mirror', { ...WORD, describe: 'Another base URL for the archive of one distribution' })
      .option('unverified', {
        type: 'boolean',
        default: false,
        describe: 'Ask nobody: take the names that packaging/distributions states',
      })
      .example('$0 repo provided debian-12', 'From the archive that packaging/mirrors.yaml names')
      .example('$0 repo provided el-9 --mirror http://mirror.example/el9/{arch}/os', 'From another one')
      .example('$0 repo provided sles-15 --unverified', 'Of a distribution without public lists'),
  handler: async (args) => {
    const { refreshProvided } = await import('../../../repo/closure/refresh-provided.ts');
    const { renderProvided } = await import('../../render/repo-closure.ts');
    const signal = interruptible();
    await refreshProvided({ ...args, signal }, (written) => process.stdout.write(`${renderProvided(written)}\n`));
  },
};
