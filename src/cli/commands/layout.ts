import { defineCommand, VALUE } from '../options/flags.ts';
import { releaseOptions } from '../options/release-options.ts';

export const layoutCommand = defineCommand({
  command: 'layout [release]',
  describe: 'Write input for dpkg-deb and rpmbuild',
  builder: (yargs) =>
    releaseOptions(yargs)
      .option('out', { ...VALUE, describe: 'Output directory', defaultDescription: 'layouts' })
      .example('$0 layout 1.36 --formats deb', 'Package roots with DEBIAN/, for dpkg-deb --build')
      .example('$0 layout 1.36 --formats rpm', 'SPECS, SOURCES and BUILDROOT, for rpmbuild -bb'),
  handler: async (args) => {
    const { resolveSettings } = await import('../options/resolve-settings.ts');
    const { withPreparedRelease } = await import('../session/with-prepared-release.ts');
    // `out` in kubeparcel.yaml is the directory for packages.
    const { out = 'layouts', ...release } = args;
    const { settings } = await resolveSettings(release);
    const { openStore } = await import('../../payload/store/content-store.ts');
    const { composeLayouts } = await import('../../pipeline/prepare.ts');
    const { writeBinaryLayout } = await import('../../pipeline/binary-layout.ts');
    const { renderLayouts } = await import('../render/build.ts');
    await withPreparedRelease(settings, { json: args.json }, async ({ prepared, fetch, signal }) => {
      const store = await openStore();
      const { payload } = await fetch(store);
      const written = [];
      for (const { task, layout } of composeLayouts(prepared, payload)) {
        written.push(await writeBinaryLayout(layout, { file: task.file, out, objects: store, signal }));
      }
      return renderLayouts(written);
    });
  },
});
