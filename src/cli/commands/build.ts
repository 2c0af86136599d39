import type { CommandModule } from 'yargs';
import { releaseOptions, WORD } from '../options/release-options.ts';
import { ASSEMBLIES, type Assembly, type BuildArguments } from './build-arguments.ts';

export const buildCommand: CommandModule<object, BuildArguments> = {
  command: 'build [release]',
  describe: 'Make the packages of a Kubernetes release',
  builder: (yargs) =>
    releaseOptions(yargs)
      .option('out', { ...WORD, describe: 'Where the packages go', defaultDescription: 'dist' })
      .option('assemble', {
        choices: ASSEMBLIES,
        default: 'native' as Assembly,
        describe: "By whom: kubeparcel, or the distribution's own tools in a container",
      })
      .option('dry-run', { type: 'boolean', default: false, describe: 'Say what would be made, and stop' })
      .example('$0 build 1.36', 'The newest 1.36: five DEBs and five RPMs in dist/')
      .example('$0 build v1.36.4 --arch all --distro debian-12,el-9', 'For two distributions, four architectures')
      .example('$0 build --source sample', 'Without a network, from stand-ins that come along')
      .example('$0 build 1.36 --assemble container', 'By dpkg-deb and rpmbuild of the distributions')
      .example('$0 fetch 1.36 && $0 build --locked', 'Exactly what kubeparcel.lock states'),
  handler: async (args) => {
    const isNative = args.assemble === 'native' && !args['dry-run'];
    // They start while the rest is read.
    const threads = isNative
      ? (await import('../../compress/compression-threads.ts')).createPackingThreads()
      : undefined;
    try {
      const { makePackages } = await import('./run-build.ts');
      await makePackages(args, threads);
    } finally {
      await threads?.close();
    }
  },
};
