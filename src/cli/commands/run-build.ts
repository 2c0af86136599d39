import { BlockStore } from '../../compress/block-store.ts';
import type { CompressionThreads } from '../../compress/compression-threads.ts';
import { limitBlocks } from '../../payload/cache.ts';
import { type ContentStore, openStore } from '../../payload/store/content-store.ts';
import { BuildCache } from '../../pipeline/build-cache.ts';
import { compressEarly } from '../../pipeline/compress-early.ts';
import { composeLayouts } from '../../pipeline/prepare.ts';
import { type RunOptions, writePackages } from '../../pipeline/run.ts';
import type { ReleaseArguments } from '../options/release-options.ts';
import { resolveSettings } from '../options/resolve-settings.ts';
import { renderBuilt, renderPlan } from '../render/build.ts';
import { withPreparedRelease } from '../session/with-prepared-release.ts';

export interface BuildArguments extends ReleaseArguments {
  out: string | undefined;
  'dry-run': boolean;
  assemble: 'native' | 'container';
}

/**
 * Runs `kubeparcel build`. This module and its imports are one file of the bundled command.
 *
 * @param threads for the native writers; undefined for a dry run and for packages that are assembled in a container
 */
export async function runBuild(args: BuildArguments, threads: CompressionThreads | undefined): Promise<void> {
  const { settings, out = 'dist' } = await resolveSettings(args);
  const { jobs } = settings;
  await withPreparedRelease(settings, { json: args.json }, async ({ prepared, fetch, ...context }) => {
    if (args['dry-run']) return renderPlan(prepared);
    const build = async (optionsFor: (store: ContentStore) => Promise<Partial<RunOptions>>) => {
      const store = await openStore();
      const options = await optionsFor(store);
      const { blocks } = options;
      const { payload } = await fetch(store, blocks && compressEarly(prepared, blocks, store));
      const packages = composeLayouts(prepared, payload);
      const built = await writePackages(packages, { ...context, objects: store, out, jobs, ...options });
      if (blocks?.hasNewBlocks === true) await limitBlocks(store.directory);
      return renderBuilt(prepared, built, out);
    };
    if (threads === undefined) {
      const { withAssembler } = await import('../../assembly/with-assembler.ts');
      return await withAssembler(prepared, context, (pack) => build(async () => ({ pack })));
    }
    // After a failure, compression for the remaining packages stops.
    const failure = new AbortController();
    const signal = AbortSignal.any([context.signal, failure.signal]);
    try {
      return await build(async ({ directory }) => ({
        blocks: await BlockStore.open(directory, threads, jobs, signal),
        cache: new BuildCache(directory),
      }));
    } catch (error) {
      failure.abort(error);
      throw error;
    }
  });
}
