import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { KubeparcelError } from '../../support/errors.ts';
import { isErrno } from '../../support/file-system.ts';
import { packageRoot } from '../../support/package-root.ts';
import { parseValidatedYaml } from '../../support/validated-yaml.ts';

/** What a distribution's own packages provide, as far as packages of ours can ask for it. */
export interface ProvidedNames {
  /** debian-12 */
  readonly distribution: string;
  /** Where the names are from, for people. */
  readonly source: string;
  /** False where nobody has asked the distribution: the names are those that packaging/distributions states. */
  readonly verified: boolean;
  /** By architecture in the format's words, by name: the versions there are; none for a name provided without. */
  readonly architectures: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
}

const providedSchema = z.strictObject({
  distribution: z.string().regex(/^[a-z0-9][a-z0-9.-]*$/),
  source: z.string().min(1),
  verified: z.boolean(),
  architectures: z.record(z.string().min(1), z.record(z.string().min(1), z.array(z.string().min(1)))),
});

/** Where kubeparcel's own lists are. */
export function providedDirectory(): string {
  return join(packageRoot(), 'packaging', 'provided');
}

/**
 * Reads the lists of a directory, sorted by distribution.
 *
 * @throws KubeparcelError of kind 'config' with file and line for what is no list, 'io' for what cannot be read
 */
export async function loadProvided(directory: string = providedDirectory()): Promise<ProvidedNames[]> {
  let names: string[];
  try {
    names = (await readdir(directory)).filter((name) => name.endsWith('.yaml')).sort();
  } catch (cause) {
    throw new KubeparcelError('io', `the lists of names provided cannot be read`, {
      where: directory,
      hint: isErrno(cause, 'ENOENT') ? 'make them: kubeparcel repo provided' : 'check the permissions of the directory',
      cause,
    });
  }
  return Promise.all(
    names.map(async (name) => {
      const file = join(directory, name);
      const provided = parseValidatedYaml(await readFile(file, 'utf8'), providedSchema, file);
      if (`${provided.distribution}.yaml` !== name) {
        throw new KubeparcelError('config', `it is about ${provided.distribution}, its name is not`, { where: file });
      }
      return provided;
    }),
  );
}
