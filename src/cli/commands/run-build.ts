import { openPackedStore } from '../../compress/block-store.ts';
import type { PackingThreads } from '../../compress/compression-threads.ts';
import { boundBlocks } from '../../payload/cache.ts';
import { type ContentStore, openStore } from '../../payload/store/content-store.ts';
import { BuildCache } from '../../pipeline/build-cache.ts';
import { compressEarly } from '../../pipeline/compress-early.ts';
import { composeLayouts } from '../../pipeline/prepare.ts';
import { type RunOptions, writePackages } from '../../pipeline/run.ts';
import { settingsFrom } from '../options/resolve-settings.ts';
import { renderBuilt, renderPlan } from '../render/build.ts';
import { withRelease } from '../session/with-release.ts';
import type { BuildArguments } from './build-arguments.ts';

/**
 * What `kubeparcel build` does. What it needs beside this is one file of the bundled command.
 *
 * @param threads to make packages with; undefined where none are made, or a container makes them
 */
export async function makePackages(args: BuildArguments, threads: PackingThreads | undefined): Promise<void> {
  const { settings, out = 'dist' } = await settingsFrom(args);
  const { jobs } = settings;
  await withRelease(settings, { json: args.json }, async ({ prepared, fetch, ...context }) => {
    if (args['dry-run']) return renderPlan(prepared);
    const make = async (optionsFor: (store: ContentStore) => Promise<Partial<RunOptions>>) => {
      const store = await openStore();
      const options = await optionsFor(store);
      const { packed } = options;
      const { payload } = await fetch(store, packed && compressEarly(prepared, packed, store));
      const packages = composeLayouts(prepared, payload);
      const built = await writePackages(packages, { ...context, objects: store, out, jobs, ...options });
      if (packed?.grown() === true) await boundBlocks(store.directory);
      return renderBuilt(prepared, built, out);
    };
    if (threads === undefined) {
      const { withAssembler } = await import('../../assembly/with-assembler.ts');
      return await withAssembler(prepared, context, (pack) => make(async () => ({ pack })));
    }
    // What was begun for a package that will not be made is not waited for.
    const stop = new AbortController();
    const signal = AbortSignal.any([context.signal, stop.signal]);
    try {
      return await make(async ({ directory }) => ({
        packed: await openPackedStore(directory, threads, jobs, signal),
        cache: new BuildCache(directory),
      }));
    } catch (error) {
      stop.abort(error);
      throw error;
    }
  });
}
