import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Plugin, rolldown } from 'rolldown';
import { writeAtomically } from '../src/support/write-atomically.ts';

/** They load files of their own beside them, or are large and seldom needed. */
const APART = ['@aws-sdk/client-s3', '@hpcc-js/wasm-zstd', 'lzma-native', 'openpgp'];

/**
 * Modules that come with all that they import, so that it is one file each: what every command begins with, and what
 * `build` needs on top of that. Node takes half a millisecond to find and read a file, however small.
 */
const PARTS = [
  { name: 'start', test: /cli[\\/]command-line\.js$/, priority: 3 },
  { name: 'threads', test: /compress[\\/]compression-threads\.js$/, priority: 2 },
  { name: 'build', test: /commands[\\/]run-build\.js$/, priority: 1 },
];

/**
 * Puts the command's modules and the libraries that they use into a few files: node takes half a second to find and read
 * the four hundred files that they are, which is more than most commands work. Names of files change with their content.
 *
 * @param entry compiled main module
 * @param directory gets main.js, its parts, and the licences of the libraries in them; nothing else may be in it
 */
export async function bundleCommand(entry: string, directory: string): Promise<void> {
  const bundle = await rolldown({
    input: entry,
    platform: 'node',
    external: [/^node:/, ...APART.map((name) => new RegExp(`^${name}(/|$)`))],
    plugins: [plainWidth],
  });
  try {
    const { output } = await bundle.generate({ format: 'esm', comments: false, codeSplitting: { groups: PARTS } });
    const modules = output.flatMap((part) => (part.type === 'chunk' ? part.moduleIds : []));
    const files = new Map(output.map((part) => [part.fileName, part.type === 'chunk' ? part.code : part.source]));
    files.set('LICENSES.txt', await licencesOf(modules));
    await mkdir(directory, { recursive: true });
    // Parts before main.js, which names them.
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
 * What yargs measures the words of its help with: string-width reads and runs expressions for emoji, which takes 30 ms of
 * every start, as yargs draws the help of a command that it only runs, too. The words are ASCII, one column each; yargs
 * does without string-width in browsers as well.
 */
const PLAIN_WIDTH = 'export default (text) => text.length;';

const plainWidth: Plugin = {
  name: 'plain-width',
  resolveId: (source, importer) =>
    source === 'string-width' && /[\\/](yargs|cliui|wrap-ansi)[\\/]/.test(importer ?? '') ? '\0string-width' : null,
  load: (id) => (id === '\0string-width' ? PLAIN_WIDTH : null),
};

/** What the licences of libraries ask for: their texts go where their code goes. */
async function licencesOf(modules: readonly string[]): Promise<string> {
  const directories = new Set(
    modules.flatMap((path) => /^\0?(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? []),
  );
  const texts = await Promise.all(
    [...directories].map(async (directory) => {
      const { name, version, license } = JSON.parse(await readFile(join(directory, 'package.json'), 'utf8'));
      const file = (await readdir(directory)).find((each) => /^(licen[cs]e|copying)/i.test(each));
      const text = file === undefined ? `Licence: ${license}` : await readFile(join(directory, file), 'utf8');
      return `${name} ${version}\n\n${text.trim()}\n`;
    }),
  );
  return texts.sort().join(`\n${'-'.repeat(72)}\n\n`);
}
