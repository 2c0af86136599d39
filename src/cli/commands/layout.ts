import type { CommandModule } from 'yargs';
import { type ReleaseArguments, releaseOptions, WORD } from '../options/release-options.ts';

interface LayoutArguments extends ReleaseArguments {
  out: string | undefined;
}

export const layoutCommand: CommandModule<object, LayoutArguments> = {
  command: 'layout [release]',
  describe: 'Write what dpkg-deb and rpmbuild make the same packages of',
  builder: (yargs) =>
    releaseOptions(yargs)
      .option('out', { ...WORD, describe: 'Where the directories go', defaultDescription: 'layouts' })
      .example('$0 layout 1.36 --formats deb', 'DEBIAN/ and the root of each package, for dpkg-deb --build')
      .example('$0 layout 1.36 --formats rpm', 'SPECS, SOURCES and BUILDROOT of each, for rpmbuild -bb'),
  handler: async (args) => {
    const { settingsFrom } = await import('../options/resolve-settings.ts');
    const { withRelease } = await import('../session/with-release.ts');
    const { out: _, ...release } = args;
    const { settings } = await settingsFrom(release);
    const out = args.out ?? 'layouts';
    const { openStore } = await import('../../payload/store/content-store.ts');
    const { composeLayouts } = await import('../../pipeline/prepare.ts');
    const { writeBinaryLayout } = await import('../../pipeline/binary-layout.ts');
    const { renderLayouts } = await import('../render/build.ts');
    await withRelease(settings, { json: args.json }, async ({ prepared, fetch, signal }) => {
      const store = await openStore();
      const { payload } = await fetch(store);
      const written = [];
      for (const { task, layout } of composeLayouts(prepared, payload)) {
        written.push(await writeBinaryLayout(layout, { file: task.file, out, objects: store, signal }));
      }
      return renderLayouts(written);
    });
  },
};
