import type { CommandModule } from 'yargs';
import type { ContentStore } from '../payload/store.ts';
import type { RunOptions } from '../pipeline/run.ts';
import { type ReleaseArguments, releaseOptions, settingsFrom, WORD } from './settings.ts';
import { withRelease } from './with-release.ts';

interface BuildArguments extends ReleaseArguments {
  out: string | undefined;
  'dry-run': boolean;
  assemble: Assembly;
}

const ASSEMBLIES = ['native', 'container'] as const;
type Assembly = (typeof ASSEMBLIES)[number];

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
    const { settings, out = 'dist' } = await settingsFrom(args);
    const { jobs } = settings;
    const { createPackingThreads } = await import('../payload/packing-threads.ts');
    const isNative = args.assemble === 'native' && !args['dry-run'];
    // First of all, so that they are there by the time that they are needed.
    const threads = isNative ? createPackingThreads(jobs) : undefined;
    try {
      const { boundBlocks } = await import('../payload/cache.ts');
      const { composeLayouts } = await import('../pipeline/prepare.ts');
      const { writePackages } = await import('../pipeline/run.ts');
      const { renderBuilt, renderPlan } = await import('./render/build.ts');
      await withRelease(settings, { json: args.json }, async ({ prepared, fetch, ...context }) => {
        if (args['dry-run']) return renderPlan(prepared);
        const make = async (optionsFor: (store: ContentStore) => Promise<Partial<RunOptions>>) => {
          const { payload, store } = await fetch();
          const options = await optionsFor(store);
          const packages = composeLayouts(prepared, payload);
          const built = await writePackages(packages, { ...context, objects: store, out, jobs, ...options });
          if (options.packed?.grown() === true) await boundBlocks(store.folder);
          return renderBuilt(prepared, built, out);
        };
        if (threads === undefined) {
          const { withAssembler } = await import('../pipeline/with-assembler.ts');
          return await withAssembler(prepared, context, (pack) => make(async () => ({ pack })));
        }
        const { openBuiltBefore } = await import('../pipeline/built-before.ts');
        const { openPackedStore } = await import('../payload/packed-store.ts');
        return await make(async ({ folder }) => ({
          packed: await openPackedStore(folder, threads),
          before: openBuiltBefore(folder),
        }));
      });
    } finally {
      await threads?.close();
    }
  },
};
