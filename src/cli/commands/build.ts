import { defineCommand, toggle, VALUE } from '../options/flags.ts';
import { releaseOptions } from '../options/release-options.ts';

export const buildCommand = defineCommand({
  command: 'build [release]',
  describe: 'Build the packages of a release',
  builder: (yargs) =>
    releaseOptions(yargs)
      .option('out', { ...VALUE, describe: 'Output directory', defaultDescription: 'dist' })
      .option('assemble', {
        choices: ['native', 'container'] as const,
        default: 'native' as const,
        describe: "Use the native writers or the distribution's tools in a container",
      })
      .option('dry-run', toggle('Show the plan; build nothing'))
      .example('$0 build 1.36', 'Newest 1.36: five DEBs and five RPMs in dist/')
      .example('$0 build v1.36.4 --arch all --distro debian-12,el-9', 'Two distributions, all architectures')
      .example('$0 build --source sample', 'Placeholder binaries, no network needed')
      .example('$0 build 1.36 --assemble container', 'Build with dpkg-deb and rpmbuild')
      .example('$0 fetch 1.36 && $0 build --locked', 'Build exactly what kubeparcel.lock states'),
  handler: async (args) => {
    // The compression threads start while the other modules load.
    const threads =
      args.assemble === 'native' && !args['dry-run']
        ? new (await import('../../compress/compression-threads.ts')).CompressionThreads()
        : undefined;
    try {
      const { runBuild } = await import('./run-build.ts');
      await runBuild(args, threads);
    } finally {
      await threads?.close();
    }
  },
});
