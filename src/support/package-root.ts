import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder that holds kubeparcel's own package.json, templates/ and packaging/: the checkout or the installed package. */
export function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'packaging', 'versions.yaml'))) {
    const parent = dirname(folder);
    if (parent === folder) {
      throw new Error(`kubeparcel's own data (packaging/versions.yaml) is in no folder above ${import.meta.url}`);
    }
    folder = parent;
  }
  return folder;
}
