import { rolldown } from 'rolldown';

/**
 * Bundles a program with its libraries for the static runner, as one ES module that imports only `host`.
 *
 * @param entry main module
 */
export async function bundleForRunner(entry: string): Promise<string> {
  const bundle = await rolldown({
    input: entry,
    external: ['host'],
    platform: 'neutral',
    transform: { target: 'es2020' },
    onLog(_level, log) {
      throw new Error(`cannot bundle ${entry}: ${log.message}`);
    },
  });
  try {
    const { output } = await bundle.generate({ format: 'esm', minify: true, comments: false });
    return output[0].code;
  } finally {
    await bundle.close();
  }
}
