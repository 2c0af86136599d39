import { join } from 'node:path';
import type { Architecture } from '../../src/model/architecture.ts';
import { RECIPE, runnersDirectory } from '../../src/runner/recipe.ts';
import { type Run, run } from '../real-payload/run.ts';
import type { Toolchain } from './toolchain.ts';

/**
 * Compiles a runner. The same sources and toolchain give the same bytes in every directory.
 *
 * @param quickJs directory with the source of QuickJS
 * @param output where the runner goes
 */
export async function compileRunner(
  architecture: Architecture,
  { compiler, musl }: Toolchain,
  quickJs: string,
  output: string,
): Promise<void> {
  const asked: Run = {
    cwd: quickJs,
    signal: undefined,
    failure: `the runner for ${architecture} could not be compiled`,
    kind: 'config',
    hint: 'see what the compiler says; gcc 12 of Debian 12 is known to do',
  };
  const part = async (name: string) => (await run(compiler, [`-print-file-name=${name}`], asked)).trim();
  const own = runnersDirectory();
  const sources = [...RECIPE.source.files, ...RECIPE.own.map((name) => join(own, name))];
  const flags = [
    ...RECIPE.flags,
    ...RECIPE.flagsOf[architecture],
    `-ffile-prefix-map=${own}=runners`,
    `-ffile-prefix-map=${quickJs}=quickjs`,
    `-I${quickJs}`,
  ];
  if (musl === undefined) {
    await run(compiler, [...flags, ...RECIPE.link, '-o', output, ...sources, '-lm'], asked);
    return;
  }
  const includes = ['-nostdinc', '-isystem', musl.include, '-isystem', await part('include')];
  // GCC knows its own C library only: musl's is named piece by piece.
  const start = [join(musl.lib, 'crt1.o'), join(musl.lib, 'crti.o'), await part('crtbeginT.o')];
  const end = [await part('crtend.o'), join(musl.lib, 'crtn.o')];
  const libraries = ['-Wl,--start-group', `-L${musl.lib}`, '-lc', '-lgcc', '-lgcc_eh', '-Wl,--end-group'];
  await run(
    compiler,
    [...flags, ...includes, '-nostdlib', ...RECIPE.link, '-o', output, ...start, ...sources, ...libraries, ...end],
    asked,
  );
}
