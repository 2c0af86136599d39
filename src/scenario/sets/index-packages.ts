import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { outputFile } from 'fs-extra/esm';
import type { Format } from '../../model/format.ts';
import { packagesText } from '../../repo/formats/apt/texts.ts';
import { repodataFiles } from '../../repo/formats/rpm-md/view.ts';
import { digestPackage, readRecord } from '../../repo/records/read-record.ts';

/**
 * Writes the index of a directory of packages: Packages (a flat, unsigned repository) or repodata/, with the date of the
 * newest package.
 *
 * @throws KubeparcelError of kind 'format' or 'verification' for a file that is not a package, and for a damaged package
 */
export async function indexPackages(directory: string, format: Format, signal?: AbortSignal): Promise<void> {
  const names = (await readdir(directory)).filter((name) => name.endsWith(`.${format}`)).sort();
  const packages = [];
  for (const name of names) {
    const path = join(directory, name);
    const record = await readRecord(path, await digestPackage(path, signal), signal === undefined ? {} : { signal });
    packages.push({ name, record });
  }
  if (format === 'deb') {
    const text = packagesText(packages.map(({ name, record }) => ({ record, filename: `./${name}` })));
    await writeFile(join(directory, 'Packages'), text);
    return;
  }
  const date = Math.max(0, ...packages.map(({ record }) => record.date));
  const listed = packages.map(({ name, record }) => ({ href: name, record }));
  for (const { path, bytes } of await repodataFiles(listed, { compression: 'gz', signers: [], date })) {
    await outputFile(join(directory, path), bytes);
  }
}
