import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Catalog } from '../../catalog/model.ts';
import { ARCHITECTURES, packageArchitecture } from '../../model/architecture.ts';
import type { Format } from '../../model/format.ts';
import { packageRoot } from '../../support/package-root.ts';
import { parseValidatedYaml } from '../../support/validated-yaml.ts';

const httpUrl = z.string().regex(/^https?:\/\/[^\s?#]+[^/\s?#]$/, 'an http or https URL without a trailing slash');
const name = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/);

const debMirror = z.strictObject({
  deb: httpUrl,
  /** Archive of the architectures other than amd64, if different. */
  ports: httpUrl.optional(),
  suite: name,
  components: z.array(name).min(1),
  architectures: z.array(name).min(1).optional(),
});
const rpmMirror = z.strictObject({ rpm: z.array(httpUrl).min(1), architectures: z.array(name).min(1).optional() });
const mirrorsSchema = z.strictObject({ mirrors: z.record(name, z.union([debMirror, rpmMirror])) });

/** Where the package lists of a distribution are. */
export type Mirror = z.output<typeof debMirror> | z.output<typeof rpmMirror>;

/**
 * Mirrors by distribution.
 *
 * @throws KubeparcelError of kind 'config' with file and line
 */
export async function loadMirrors(
  file: string = join(packageRoot(), 'packaging', 'mirrors.yaml'),
): Promise<ReadonlyMap<string, Mirror>> {
  const { mirrors } = parseValidatedYaml(await readFile(file, 'utf8'), mirrorsSchema, file);
  return new Map(Object.entries(mirrors));
}

/** The supported architectures as a format names them. */
export function architecturesOf(format: Format): string[] {
  return ARCHITECTURES.map((architecture) => packageArchitecture(format, architecture));
}

/** Matches the names that relations of our packages can contain, on any distribution of the format. */
export function nameFilter(catalog: Catalog, format: Format): (name: string) => boolean {
  const distributions = catalog.distributions.filter((each) => each.format === format);
  const names = new Set([
    ...distributions.flatMap((each) => Object.values(each.names).flat()),
    ...distributions.flatMap((each) => Object.values(each.libraries).map((library) => library.package)),
    // Interpreters of scriptlets.
    ...(format === 'rpm' ? ['/bin/sh', '/usr/bin/sh', '/bin/bash', '/usr/bin/bash'] : []),
  ]);
  const sonames = new Set(catalog.distributions.flatMap(({ libraries }) => Object.keys(libraries)));
  return (name) => names.has(name) || (format === 'rpm' && sonames.has(/^[^()]+/.exec(name)?.[0] ?? ''));
}

/** Names without versions that packaging/distributions lists for a distribution. */
export function statedNames(catalog: Catalog, id: string): string[] {
  const distribution = catalog.distributions.find((each) => each.id === id);
  if (distribution === undefined) return [];
  const sonames = catalog.distributions.flatMap(({ libraries }) => Object.keys(libraries));
  const libraries =
    distribution.format === 'deb'
      ? Object.values(distribution.libraries).map((library) => library.package)
      : sonames.map((soname) => `${soname}()(64bit)`);
  const interpreters = distribution.format === 'rpm' ? ['/bin/sh', '/bin/bash'] : [];
  return [...new Set([...Object.values(distribution.names).flat(), ...libraries, ...interpreters])].sort();
}
