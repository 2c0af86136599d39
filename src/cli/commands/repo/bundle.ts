import type { CommandModule } from 'yargs';
import { ARCHITECTURES, packageArchitecture } from '../../../model/architecture.ts';
import { FORMATS } from '../../../model/format.ts';
import { KubeparcelError } from '../../../support/errors.ts';
import { WORD } from '../../options/release-options.ts';
import { CHANNEL, channelOf, directory, LIST } from '../../options/repo-options.ts';
import { interruptible } from '../../session/interruption.ts';

interface BundleArguments {
  dir: string;
  channel: string | undefined;
  minor: string[] | undefined;
  arch: string[] | undefined;
  formats: string[] | undefined;
  out: string;
}

export const repoBundleCommand: CommandModule<object, BundleArguments> = {
  command: 'bundle <dir>',
  describe: 'Write one file that hosts without a network install from',
  builder: (yargs) =>
    directory(yargs)
      .option('channel', { ...CHANNEL, describe: 'Which channel', defaultDescription: 'stable' })
      .option('minor', { ...LIST, describe: 'Which minors', defaultDescription: 'all of the channel' })
      .option('arch', { ...LIST, describe: 'amd64, arm64, ppc64le, s390x', defaultDescription: 'all of them' })
      .option('formats', { ...LIST, describe: 'deb, rpm', defaultDescription: 'both' })
      .option('out', { ...WORD, demandOption: true, describe: 'The tar archive' })
      .example('$0 repo bundle site --minor 1.36 --out k8s-1.36.tar', 'Both formats, all architectures')
      .example('$0 repo bundle site --arch amd64 --formats deb --out d.tar', 'For Debian and Ubuntu on amd64'),
  handler: async (args) => {
    const { writeBundle } = await import('../../../repo/bundle/bundle.ts');
    const { humanSize } = await import('../../render/table.ts');
    const known = <T extends string>(words: readonly T[], given: string[] | undefined, flag: string) =>
      given?.map((each) => {
        const found = words.find((word) => word === each);
        if (found !== undefined) return found;
        throw new KubeparcelError('usage', `there is no ${each}`, { where: flag, hint: `name ${words.join(', ')}` });
      });
    const formats = known(FORMATS, args.formats, '--formats');
    const architectures = known(ARCHITECTURES, args.arch, '--arch')?.flatMap((each) =>
      FORMATS.map((format) => packageArchitecture(format, each)),
    );
    const { channel, minor: minors, out } = args;
    const signal = interruptible();
    const made = await writeBundle(args.dir, {
      channel: channelOf(channel),
      minors,
      formats,
      architectures,
      out,
      signal,
    });
    process.stdout.write(
      [
        `${made.path}: ${made.packages} packages of Kubernetes ${made.minors.join(', ')}, ${humanSize(made.size)}`,
        `SHA-256 ${made.sha256}`,
        ...(made.fingerprints.length === 0 ? ['not signed'] : made.fingerprints.map((each) => `signed by ${each}`)),
        `On the host: tar xf ${made.path.slice(made.path.lastIndexOf('/') + 1)} && kubernetes-packages/install.sh`,
        '',
      ].join('\n'),
    );
  },
};
