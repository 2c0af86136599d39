import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The directory of kubeparcel's package.json, templates/ and packaging/: the checkout or the installed package. */
export function packageRoot(): string {
  let directory = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(directory, 'packaging', 'versions.yaml'))) {
    const parent = dirname(directory);
    if (parent === directory) {
      throw new Error(`no packaging/versions.yaml in the directories above ${import.meta.url}`);
    }
    directory = parent;
  }
  return directory;
}

/** The version in kubeparcel's package.json. */
export function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8'));
  if (typeof manifest === 'object' && manifest !== null && 'version' in manifest) {
    return String(manifest.version);
  }
  throw new Error("no version in kubeparcel's package.json");
}
