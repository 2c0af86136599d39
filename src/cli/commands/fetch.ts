import type { CommandModule } from 'yargs';
import { type ReleaseArguments, releaseOptions, WORD } from '../options/release-options.ts';

interface FetchArguments extends ReleaseArguments {
  bundle: string | undefined;
}

export const fetchCommand: CommandModule<object, FetchArguments> = {
  command: 'fetch [release]',
  describe: 'Resolve and download a release, and write kubeparcel.lock',
  builder: (yargs) =>
    releaseOptions(yargs)
      .option('bundle', { ...WORD, describe: 'Also write all of it into one file, for --source' })
      .example('$0 fetch 1.36 --arch all', 'URL, size and SHA-256 of each artifact go to kubeparcel.lock')
      .example('$0 fetch 1.36 --bundle k8s-1.36.kpb', 'For a site without a network'),
  handler: async (args) => {
    const { settingsFrom } = await import('../options/resolve-settings.ts');
    const { withRelease } = await import('../session/with-release.ts');
    const { settings } = await settingsFrom(args);
    const { writeAtomically } = await import('../../support/write-atomically.ts');
    const { formatLock } = await import('../../release/lock.ts');
    const { openStore } = await import('../../payload/store/content-store.ts');
    const { renderFetched } = await import('../render/build.ts');
    // What is fetched is the release; the generator is of kubeparcel's own making.
    await withRelease({ ...settings, confgen: false }, { json: args.json }, async ({ fetch, signal }) => {
      const store = await openStore();
      const { lock } = await fetch(store);
      if (!args.locked) await writeAtomically(args.lock, [Buffer.from(formatLock(lock))]);
      if (args.bundle !== undefined) {
        const { writeBundle } = await import('../../payload/sources/bundle.ts');
        await writeBundle(args.bundle, lock, store, { signal });
      }
      return renderFetched(lock, args);
    });
  },
};
