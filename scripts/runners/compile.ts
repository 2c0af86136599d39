import { join } from 'node:path';
import type { Architecture } from '../../src/model/architecture.ts';
import { RECIPE, runnersDirectory } from '../../src/runner/recipe.ts';
import { type Run, run } from '../run.ts';
import type { Toolchain } from './toolchain.ts';

/**
 * Compiles a runner. The same sources and toolchain give the same bytes in every directory.
 *
 * @param quickJs directory of the QuickJS source
 * @param output path of the runner
 */
export async function compileRunner(
  architecture: Architecture,
  { compiler, musl }: Toolchain,
  quickJs: string,
  output: string,
): Promise<void> {
  const options: Run = {
    cwd: quickJs,
    failure: `cannot compile the runner for ${architecture}`,
    kind: 'config',
    hint: 'see the messages of the compiler; gcc 12 of Debian 12 is known to work',
  };
  const fileOf = async (name: string) => (await run(compiler, [`-print-file-name=${name}`], options)).trim();
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
    await run(compiler, [...flags, ...RECIPE.link, '-o', output, ...sources, '-lm'], options);
    return;
  }
  const includes = ['-nostdinc', '-isystem', musl.include, '-isystem', await fileOf('include')];
  // GCC finds only its own C library; name every file of musl.
  const start = [join(musl.lib, 'crt1.o'), join(musl.lib, 'crti.o'), await fileOf('crtbeginT.o')];
  const end = [await fileOf('crtend.o'), join(musl.lib, 'crtn.o')];
  const libraries = ['-Wl,--start-group', `-L${musl.lib}`, '-lc', '-lgcc', '-lgcc_eh', '-Wl,--end-group'];
  await run(
    compiler,
    [...flags, ...includes, '-nostdlib', ...RECIPE.link, '-o', output, ...start, ...sources, ...libraries, ...end],
    options,
  );
}
