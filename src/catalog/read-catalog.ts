import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { KubeparcelError } from '../support/errors.ts';
import { parseValidatedYaml } from '../support/validated-yaml.ts';
import type { Distribution } from './distribution.ts';
import { distributionSchema, releasesOf } from './distribution-schema.ts';
import { formerFilesSchema } from './former-files.ts';
import type { Catalog } from './model.ts';
import { type PackageDefinition, packageSchema } from './package-schema.ts';
import { minorsSchema, versionsSchema } from './versions-schema.ts';

/**
 * Reads and validates the packaging data.
 *
 * @throws KubeparcelError of kind 'config' with file, line and column for data that does not match its schema: unknown
 * keys, ranges of versions with overlaps or gaps, names that a distribution lacks, pins that cannot be installed together;
 * of kind 'io' for an unreadable file
 */
export async function readCatalog(directory: string): Promise<Catalog> {
  const versionsFile = join(directory, 'versions.yaml');
  const versionsText = await read(versionsFile);
  const { minors } = parseValidatedYaml(versionsText, minorsSchema, versionsFile);
  const span = { oldest: minors[0]?.minor ?? '', newest: minors.at(-1)?.minor ?? '' };

  const distributions: Distribution[] = [];
  const taken = new Map<string, string>();
  for (const file of await yamlFiles(join(directory, 'distributions'))) {
    distributions.push(...releasesOf(parseValidatedYaml(await read(file), distributionSchema(span, taken), file)));
  }

  const files = await yamlFiles(join(directory, 'packages'));
  const ours = files.map((file) => nameOf(file));
  const packages: PackageDefinition[] = [];
  for (const file of files) {
    const definition = parseValidatedYaml(await read(file), packageSchema(span, distributions, ours), file);
    if (definition.name !== nameOf(file)) {
      throw new KubeparcelError(
        'config',
        `the name of the package is ${definition.name}; the file must have the same name`,
        { where: file },
      );
    }
    packages.push(definition);
  }

  const versions = parseValidatedYaml(versionsText, versionsSchema(span, packages), versionsFile);
  const { kubelet, kubeadm } = versions;
  const generator = { ...span, kubelet, kubeadm, removedFlags: versions['removed-flags'] };
  const formerFile = join(directory, 'former-files.yaml');
  const { files: formerFiles } = parseValidatedYaml(await read(formerFile), formerFilesSchema, formerFile);
  return { packages, distributions, minors, pins: versions.pins, generator, formerFiles, versionsFile };
}

async function yamlFiles(directory: string): Promise<string[]> {
  let names: string[];
  try {
    names = await readdir(directory);
  } catch (cause) {
    throw unreadable(directory, cause);
  }
  const files = names.filter((name) => name.endsWith('.yaml')).sort();
  if (files.length === 0) {
    throw new KubeparcelError('config', 'no .yaml file in a directory of packaging data', { where: directory });
  }
  return files.map((name) => join(directory, name));
}

function nameOf(file: string): string {
  return file.slice(file.lastIndexOf('/') + 1, -'.yaml'.length);
}

async function read(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw unreadable(file, cause);
  }
}

function unreadable(path: string, cause: unknown): KubeparcelError {
  return new KubeparcelError('io', 'cannot read the packaging data', {
    where: path,
    hint: 'the directory needs packages/, distributions/, versions.yaml and former-files.yaml; copy them from kubeparcel',
    cause,
  });
}
