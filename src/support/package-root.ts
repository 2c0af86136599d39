import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The directory that holds kubeparcel's own package.json, templates/ and packaging/: the checkout or the installed package. */
export function packageRoot(): string {
  let directory = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(directory, 'packaging', 'versions.yaml'))) {
    const parent = dirname(directory);
    if (parent === directory) {
      throw new Error(`kubeparcel's own data (packaging/versions.yaml) is in no directory above ${import.meta.url}`);
    }
    directory = parent;
  }
  return directory;
}
