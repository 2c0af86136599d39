import { existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { packageRoot } from '../../src/support/package-root.ts';
import { packagesIn } from '../support/cli.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const INSTALL = ['install', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error', '--ignore-scripts'];

test('the npm package can be installed and builds packages', { timeout: 180_000 }, async () => {
  const directory = temporaryDirectory();
  // Without prepack, which would replace compiled files that other tests run.
  const packed = await execa('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', directory], {
    cwd: packageRoot(),
  });
  const [{ filename, files, size }] = JSON.parse(packed.stdout) as [Packed];
  const paths = files.map(({ path }) => path);
  expect(
    paths.filter(
      (path) =>
        !/^(lib\/cli|lib\/packaging|templates|packaging|docs|runners)\/|^(package\.json|README\.md|LICENSE|lib\/kubelet-confgen\.js)$/.test(
          path,
        ),
    ),
  ).toEqual([]);
  expect(paths.filter((path) => /\.test\.|tsbuildinfo|\.ts$/.test(path) && !path.endsWith('.d.ts'))).toEqual([]);
  for (const part of ['lib/cli/main.js', 'templates/kubelet.service.ejs', 'packaging/sample/SHA256SUMS']) {
    expect(paths).toContain(part);
  }
  expect(size).toBeGreaterThan(50_000);
  expect(size).toBeLessThan(1_000_000);

  const project = join(directory, 'elsewhere');
  mkdirSync(project);
  writeFileSync(join(project, 'package.json'), '{"private":true}\n');
  await execa('npm', [...INSTALL, join(directory, filename)], { cwd: project });
  const installed = join(project, 'node_modules', 'kubeparcel');
  expect(statSync(join(installed, 'lib', 'cli', 'main.js')).isFile()).toBe(true);
  expect(existsSync(join(project, 'node_modules', 'vitest'))).toBe(false);
  const command = ['--no-install', 'kubeparcel', 'build', '--source', 'sample', '--without-confgen'];
  const { stdout } = await execa('npx', command, { cwd: project, env: { XDG_CACHE_HOME: join(directory, 'cache') } });
  expect(stdout).toContain('10 packages of Kubernetes');
  expect(Object.keys(packagesIn(join(project, 'dist')))).toHaveLength(10);
});

interface Packed {
  readonly filename: string;
  /** Bytes, compressed. */
  readonly size: number;
  readonly files: readonly { readonly path: string }[];
}
