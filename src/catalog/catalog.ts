import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../support/package-root.ts';
import { readParsed } from '../support/parsed-yaml.ts';
import type { Catalog } from './model.ts';

/**
 * Packaging data: packages/*.yaml, distributions/*.yaml, versions.yaml and former-files.yaml.
 *
 * @param directory kubeparcel's own packaging/ by default
 * @throws KubeparcelError as readCatalog does
 */
export async function loadCatalog(directory: string = join(packageRoot(), 'packaging')): Promise<Catalog> {
  const known = knownCatalog(directory);
  if (known !== undefined) return { ...known, versionsFile: join(directory, 'versions.yaml') };
  // Schemas take long to make and to run.
  const { readCatalog } = await import('./read-catalog.ts');
  return readCatalog(directory);
}

/** What of a catalog is the same in every directory with these texts; `npm run compile` keeps that of kubeparcel's own. */
export type KnownCatalog = Omit<Catalog, 'versionsFile'>;

function knownCatalog(directory: string): KnownCatalog | undefined {
  let text: string;
  try {
    text = catalogText(directory);
  } catch {
    // readCatalog says what cannot be read.
    return undefined;
  }
  return readParsed(text) as KnownCatalog | undefined;
}

/** All that a catalog is made of, as one text. */
export function catalogText(directory: string): string {
  const names = ['packages', 'distributions'].flatMap((room) =>
    readdirSync(join(directory, room))
      .filter((name) => name.endsWith('.yaml'))
      .map((name) => `${room}/${name}`),
  );
  return JSON.stringify(
    [...names.sort(), 'versions.yaml', 'former-files.yaml'].map((name) => [
      name,
      readFileSync(join(directory, name), 'utf8'),
    ]),
  );
}
