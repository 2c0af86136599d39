import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execaSync } from 'execa';
import { packageRoot } from '../../src/support/package-root.ts';

/**
 * Compiles a file of test/support for tests that run it as a separate process. The output is below the project, where
 * dependencies are found.
 */
export function compileSupport(file: string): { readonly main: string; remove(): void } {
  const root = packageRoot();
  mkdirSync(join(root, 'lib'), { recursive: true });
  const compiled = mkdtempSync(join(root, 'lib', '.test-'));
  const compilerOptions = { noEmit: false, rootDir: '../..', outDir: '.' };
  const project = {
    extends: '../../tsconfig.json',
    compilerOptions,
    include: [],
    files: [`../../test/support/${file}`],
  };
  writeFileSync(join(compiled, 'tsconfig.json'), JSON.stringify(project));
  const remove = () => rmSync(compiled, { recursive: true, force: true });
  try {
    execaSync(join(root, 'node_modules', '.bin', 'tsc'), ['-p', compiled], { cwd: root });
  } catch (error) {
    remove();
    throw error;
  }
  return { main: join(compiled, 'test', 'support', file.replace(/\.ts$/, '.js')), remove };
}
