import { deepStrictEqual } from 'node:assert/strict';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { catalogText, type PrecompiledCatalog } from '../src/catalog/catalog.ts';
import { readCatalog } from '../src/catalog/read-catalog.ts';
import { parsedFile } from '../src/support/parsed-yaml.ts';
import { parseOwnYaml } from '../src/support/validated-yaml.ts';
import { writeAtomically } from '../src/support/write-atomically.ts';

/**
 * Stores the YAML files in packaging/ and the catalog as JSON, so that the command does not need to parse them
 * (src/support/parsed-yaml.ts).
 *
 * @param root directory of kubeparcel
 * @throws if a value cannot be represented as JSON
 */
export async function parsePackaging(root: string): Promise<void> {
  const directory = join(root, 'packaging');
  const names = await readdir(directory, { recursive: true });
  const written = new Set<string>();
  for (const name of names.filter((each) => each.endsWith('.yaml')).sort()) {
    const text = await readFile(join(directory, name), 'utf8');
    const value = parseOwnYaml(text);
    const json = JSON.stringify(value);
    deepStrictEqual(JSON.parse(json), value, `${name} contains a value that JSON cannot represent`);
    const path = parsedFile(text, root);
    await mkdir(dirname(path), { recursive: true });
    await writeAtomically(path, [Buffer.from(json)]);
    written.add(basename(path));
  }
  const { versionsFile: _, ...catalog } = await readCatalog(directory);
  const path = parsedFile(catalogText(directory), root);
  await writeAtomically(path, [Buffer.from(JSON.stringify(catalog satisfies PrecompiledCatalog))]);
  written.add(basename(path));
  const into = dirname(parsedFile('', root));
  for (const name of await readdir(into)) if (!written.has(name)) await rm(join(into, name), { force: true });
}
