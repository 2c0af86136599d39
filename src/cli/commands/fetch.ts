import { defineCommand, VALUE } from '../options/flags.ts';
import { releaseOptions } from '../options/release-options.ts';

export const fetchCommand = defineCommand({
  command: 'fetch [release]',
  describe: 'Download a release and write its lock',
  builder: (yargs) =>
    releaseOptions(yargs)
      .option('bundle', { ...VALUE, describe: 'Also write all artifacts to one file, for --source' })
      .example('$0 fetch 1.36 --arch all', 'Write URL, size and SHA-256 of each artifact to the lock')
      .example('$0 fetch 1.36 --bundle k8s-1.36.kpb', 'For a machine without a network'),
  handler: async (args) => {
    const { resolveSettings } = await import('../options/resolve-settings.ts');
    const { withPreparedRelease } = await import('../session/with-prepared-release.ts');
    const { settings } = await resolveSettings(args);
    const { writeAtomically } = await import('../../support/write-atomically.ts');
    const { formatLock } = await import('../../release/lock.ts');
    const { openStore } = await import('../../payload/store/content-store.ts');
    const { renderFetched } = await import('../render/build.ts');
    // The generator is part of kubeparcel, not of the release.
    const withoutConfgen = { ...settings, confgen: false };
    await withPreparedRelease(withoutConfgen, { json: args.json }, async ({ fetch, signal }) => {
      const store = await openStore();
      const { lock } = await fetch(store);
      if (!args.locked) await writeAtomically(args.lock, [Buffer.from(formatLock(lock))]);
      if (args.bundle !== undefined) {
        const { writeBundle } = await import('../../payload/sources/bundle.ts');
        await writeBundle(args.bundle, lock, store, { signal });
      }
      return renderFetched(lock, args, settings);
    });
  },
});
