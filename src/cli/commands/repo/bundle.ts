import { ARCHITECTURES, packageArchitecture } from '../../../model/architecture.ts';
import { FORMATS } from '../../../model/format.ts';
import { plural } from '../../../support/plural.ts';
import { choices, defineCommand, LIST, VALUE } from '../../options/flags.ts';
import { CHANNEL, repoDirectory } from '../../options/repo-options.ts';
import { interruptible } from '../../session/interruption.ts';

export const repoBundleCommand = defineCommand({
  command: 'bundle <dir>',
  describe: 'Write an archive for offline hosts',
  builder: (yargs) =>
    repoDirectory(yargs)
      .option('channel', { ...CHANNEL, default: 'stable', describe: 'Channel' })
      .option('minor', { ...LIST, describe: 'Kubernetes minor versions', defaultDescription: 'all in the channel' })
      .option('arch', { ...choices(ARCHITECTURES), describe: 'Architectures', defaultDescription: 'all' })
      .option('formats', { ...choices(FORMATS), describe: 'Package formats', defaultDescription: 'both' })
      .option('out', { ...VALUE, demandOption: true, describe: 'Output file, a tar archive' })
      .example('$0 repo bundle site --minor 1.36 --out k8s-1.36.tar', 'Both formats, all architectures')
      .example('$0 repo bundle site --arch amd64 --formats deb --out d.tar', 'For Debian and Ubuntu on amd64'),
  handler: async (args) => {
    const { writeBundle } = await import('../../../repo/bundle/bundle.ts');
    const { humanSize } = await import('../../render/table.ts');
    const { channel, minor: minors, formats, arch, out } = args;
    const architectures = arch?.flatMap((each) => FORMATS.map((format) => packageArchitecture(format, each)));
    const signal = interruptible();
    const bundle = await writeBundle(args.dir, {
      channel,
      minors,
      formats,
      architectures,
      out,
      signal,
    });
    process.stdout.write(
      [
        `${bundle.path}: ${plural(bundle.packages, 'package')} of Kubernetes ${bundle.minors.join(', ')}, ${humanSize(bundle.size)}`,
        `SHA-256 ${bundle.sha256}`,
        ...(bundle.fingerprints.length === 0 ? ['not signed'] : bundle.fingerprints.map((each) => `signed by ${each}`)),
        `On the host: tar xf ${bundle.path.slice(bundle.path.lastIndexOf('/') + 1)} && kubernetes-packages/install.sh`,
        '',
      ].join('\n'),
    );
  },
});
