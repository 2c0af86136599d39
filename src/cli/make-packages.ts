import { boundBlocks } from '../payload/cache.ts';
import { openPackedStore } from '../payload/packed-store.ts';
import { openBuiltBefore } from '../pipeline/built-before.ts';
import { composeLayouts } from '../pipeline/prepare.ts';
import { type Pack, writePackages } from '../pipeline/run.ts';
import type { BuildArguments } from './build.ts';
import { settingsFrom } from './chosen-settings.ts';
import { renderBuilt, renderPlan } from './render/build.ts';
import { withRelease } from './with-release.ts';

/** What `kubeparcel build` does. What it needs beside this is one file of the bundled command. */
export async function makePackages(args: BuildArguments): Promise<void> {
  const { settings, out = 'dist' } = await settingsFrom(args);
  await withRelease(settings, { json: args.json }, async ({ prepared, fetch, ...context }) => {
    if (args['dry-run']) return renderPlan(prepared);
    const make = async (pack?: Pack) => {
      const { payload, store } = await fetch();
      const packages = composeLayouts(prepared, payload);
      const { jobs } = settings;
      const how = { ...context, objects: store, out, jobs };
      if (pack !== undefined) return renderBuilt(prepared, await writePackages(packages, { ...how, pack }), out);
      const packed = await openPackedStore(store.folder, jobs);
      try {
        const before = openBuiltBefore(store.folder);
        const built = await writePackages(packages, { ...how, packed, before });
        await boundBlocks(store.folder);
        return renderBuilt(prepared, built, out);
      } finally {
        await packed.close();
      }
    };
    if (args.assemble === 'native') return await make();
    const { withAssembler } = await import('../pipeline/with-assembler.ts');
    return await withAssembler(prepared, context, make);
  });
}
