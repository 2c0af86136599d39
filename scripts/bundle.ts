/** Bundles kubelet-confgen for the static runner into lib/. Run: npm run compile */
import { join } from 'node:path';
import { bundleFile } from '../src/runner/find-runner.ts';
import { packageRoot } from '../src/support/package-root.ts';
import { writeAtomically } from '../src/support/write-atomically.ts';
import { bundleForRunner } from './runners/bundle.ts';

const code = await bundleForRunner(join(packageRoot(), 'src/confgen/quickjs-main.ts'));
await writeAtomically(bundleFile(), [Buffer.from(code)]);
