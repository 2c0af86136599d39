import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../support/package-root.ts';
import { readParsed } from '../support/parsed-yaml.ts';
import type { Catalog } from './model.ts';

/**
 * Loads the packaging data: packages/*.yaml, distributions/*.yaml, versions.yaml and former-files.yaml.
 *
 * @param directory default: kubeparcel's own packaging/
 * @throws KubeparcelError as readCatalog does
 */
export async function loadCatalog(directory: string = join(packageRoot(), 'packaging')): Promise<Catalog> {
  const precompiled = precompiledCatalog(directory);
  if (precompiled !== undefined) return { ...precompiled, versionsFile: join(directory, 'versions.yaml') };
  // Imported here, because loading and running the schemas is slow.
  const { readCatalog } = await import('./read-catalog.ts');
  return readCatalog(directory);
}

/** The part of a catalog that depends only on file contents. `npm run compile` stores it for kubeparcel's own data. */
export type PrecompiledCatalog = Omit<Catalog, 'versionsFile'>;

function precompiledCatalog(directory: string): PrecompiledCatalog | undefined {
  try {
    return readParsed(catalogText(directory)) as PrecompiledCatalog | undefined;
  } catch {
    // readCatalog reports the error.
    return undefined;
  }
}

/** Names and contents of all files of a catalog, as one string. */
export function catalogText(directory: string): string {
  const names = ['packages', 'distributions'].flatMap((subdirectory) =>
    readdirSync(join(directory, subdirectory))
      .filter((name) => name.endsWith('.yaml'))
      .map((name) => `${subdirectory}/${name}`),
  );
  return JSON.stringify(
    [...names.sort(), 'versions.yaml', 'former-files.yaml'].map((name) => [
      name,
      readFileSync(join(directory, name), 'utf8'),
    ]),
  );
}
