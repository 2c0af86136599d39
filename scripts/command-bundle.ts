import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Plugin, rolldown } from 'rolldown';
import { writeAtomically } from '../src/support/write-atomically.ts';

/** Not bundled: packages that load their own files, or are large and rarely used. */
const EXTERNAL = ['@aws-sdk/client-s3', '@hpcc-js/wasm-zstd', 'lzma-native', 'openpgp'];

/**
 * Modules that are bundled with all of their imports into one file each: those of every command, and the additional ones of
 * `build`. Node needs 0.5 ms to find and read a file.
 */
const PARTS = [
  { name: 'start', test: /cli[\\/]command-line\.js$/, priority: 3 },
  { name: 'threads', test: /compress[\\/]compression-threads\.js$/, priority: 2 },
  { name: 'build', test: /commands[\\/]run-build\.js$/, priority: 1 },
];

/**
 * Bundles the command and its libraries into a few files. Node needs 0.5 s to find and read the original 400 files, more
 * than most commands need to run. File names depend on the content.
 *
 * @param entry compiled main module
 * @param directory output directory for main.js, its chunks and the licenses of the libraries; other files are removed
 */
export async function bundleCommand(entry: string, directory: string): Promise<void> {
  const bundle = await rolldown({
    input: entry,
    platform: 'node',
    external: [/^node:/, ...EXTERNAL.map((name) => new RegExp(`^${name}(/|$)`))],
    plugins: [plainWidth],
  });
  try {
    const { output } = await bundle.generate({ format: 'esm', comments: false, codeSplitting: { groups: PARTS } });
    const modules = output.flatMap((part) => (part.type === 'chunk' ? part.moduleIds : []));
    const files = new Map(output.map((part) => [part.fileName, part.type === 'chunk' ? part.code : part.source]));
    files.set('LICENSES.txt', await licenseTexts(modules));
    await mkdir(directory, { recursive: true });
    // main.js, which imports the chunks, is written last.
    for (const [name, content] of [...files].reverse()) {
      const path = join(directory, name);
      const bytes = Buffer.from(content);
      const before = await readFile(path).catch(() => undefined);
      if (before?.equals(bytes) !== true) await writeAtomically(path, [bytes]);
    }
    for (const name of await readdir(directory))
      if (!files.has(name)) await rm(join(directory, name), { recursive: true });
  } finally {
    await bundle.close();
  }
}

/**
 * Replaces string-width, with which yargs measures its help texts. Its regular expressions for emoji take 30 ms of every
 * start, since yargs renders the help of every command that it runs. The help texts are ASCII. In browsers, yargs also does
 * not use string-width.
 */
const PLAIN_WIDTH = 'export default (text) => text.length;';

const plainWidth: Plugin = {
  name: 'plain-width',
  resolveId: (source, importer) =>
    source === 'string-width' && /[\\/](yargs|cliui|wrap-ansi)[\\/]/.test(importer ?? '') ? '\0string-width' : null,
  load: (id) => (id === '\0string-width' ? PLAIN_WIDTH : null),
};

/** The license texts of the bundled libraries; the licenses require them. */
async function licenseTexts(modules: readonly string[]): Promise<string> {
  const directories = new Set(
    modules.flatMap((path) => /^\0?(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? []),
  );
  const texts = await Promise.all(
    [...directories].map(async (directory) => {
      const { name, version, license } = JSON.parse(await readFile(join(directory, 'package.json'), 'utf8'));
      const file = (await readdir(directory)).find((each) => /^(licen[cs]e|copying)/i.test(each));
      const text = file === undefined ? `License: ${license}` : await readFile(join(directory, file), 'utf8');
      return `${name} ${version}\n\n${text.trim()}\n`;
    }),
  );
  return texts.sort().join(`\n${'-'.repeat(72)}\n\n`);
}
