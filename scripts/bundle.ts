/** Bundles kubelet-confgen and the kubeparcel command into lib/, and precompiles packaging/. Run: npm run compile */
import { join } from 'node:path';
import { bundleFile } from '../src/runner/find-runner.ts';
import { packageRoot } from '../src/support/package-root.ts';
import { writeAtomically } from '../src/support/write-atomically.ts';
import { bundleCommand } from './command-bundle.ts';
import { parsePackaging } from './parse-packaging.ts';
import { bundleForRunner } from './runners/bundle.ts';

const code = await bundleForRunner(join(packageRoot(), 'src/confgen/commands/quickjs-main.ts'));
await writeAtomically(bundleFile(), [Buffer.from(code)]);
await bundleCommand(join(packageRoot(), 'lib', 'src', 'cli', 'main.js'), join(packageRoot(), 'lib', 'cli'));
await parsePackaging(packageRoot());
