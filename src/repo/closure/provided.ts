import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { KubeparcelError } from '../../support/errors.ts';
import { isErrno } from '../../support/file-system.ts';
import { packageRoot } from '../../support/package-root.ts';
import { parseValidatedYaml } from '../../support/validated-yaml.ts';

/** The names that a distribution provides, limited to those that our packages can require. */
export interface ProvidedNames {
  /** debian-12 */
  readonly distribution: string;
  /** Origin of the names, for messages. */
  readonly source: string;
  /** False if the names are from packaging/distributions instead of the distribution's package lists. */
  readonly verified: boolean;
  /** Versions by architecture (as the format names it) and name; empty for an unversioned name. */
  readonly architectures: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
}

const providedSchema = z.strictObject({
  distribution: z.string().regex(/^[a-z0-9][a-z0-9.-]*$/),
  source: z.string().min(1),
  verified: z.boolean(),
  architectures: z.record(z.string().min(1), z.record(z.string().min(1), z.array(z.string().min(1)))),
});

/** Default directory of the lists. */
export function providedDirectory(): string {
  return join(packageRoot(), 'packaging', 'provided');
}

/**
 * Reads the lists in a directory, sorted by distribution.
 *
 * @throws KubeparcelError of kind 'config' with file and line for an invalid list, 'io' if it is unreadable
 */
export async function loadProvided(directory: string = providedDirectory()): Promise<ProvidedNames[]> {
  let names: string[];
  try {
    names = (await readdir(directory)).filter((name) => name.endsWith('.yaml')).sort();
  } catch (cause) {
    throw new KubeparcelError('io', 'cannot read the lists of provided names', {
      where: directory,
      hint: isErrno(cause, 'ENOENT')
        ? 'create them: kubeparcel repo provided'
        : 'check the permissions of the directory',
      cause,
    });
  }
  return Promise.all(
    names.map(async (name) => {
      const file = join(directory, name);
      const provided = parseValidatedYaml(await readFile(file, 'utf8'), providedSchema, file);
      if (`${provided.distribution}.yaml` !== name) {
        throw new KubeparcelError(
          'config',
          `a list for ${provided.distribution} must have the file name ${provided.distribution}.yaml`,
          { where: file },
        );
      }
      return provided;
    }),
  );
}
