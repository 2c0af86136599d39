/**
 * Bundles kubelet-confgen for the static runner into lib/. Run: npm run compile
 *
 * @remarks its only input is src/confgen, so that the bundle is the same on every machine
 */
import { join } from 'node:path';
import { rolldown } from 'rolldown';
import { bundleFile } from '../src/runner/find-runner.ts';
import { packageRoot } from '../src/support/package-root.ts';

const bundle = await rolldown({
  input: join(packageRoot(), 'src/confgen/quickjs-main.ts'),
  external: ['host'],
  platform: 'neutral',
  transform: { target: 'es2020' },
  onLog(_level, log) {
    throw new Error(`the bundle of kubelet-confgen: ${log.message}`);
  },
});
await bundle.write({ file: bundleFile(), format: 'esm', minify: true, comments: false });
await bundle.close();
