import { controlField, formatControl } from '../../../deb/control-file.ts';
import { readDeb } from '../../../deb/read.ts';
import { payloadSize } from '../../../model/layout.ts';
import { formatVersion } from '../../../model/package-version.ts';
import { KubeparcelError } from '../../../support/errors.ts';
import { CHANGELOG_LIMIT, type FileDigests, type PackageRecord, RECORD_SCHEMA } from '../../model/record.ts';

/** Fields that only an index may have; dropped from a package's own fields. */
const INDEX_FIELDS = ['filename', 'size', 'md5sum', 'sha1', 'sha256', 'sha512', 'description-md5', 'status'];

/**
 * Reads a DEB for Packages and Contents, and checks all digests in it.
 *
 * @throws KubeparcelError of kind 'format' for a damaged DEB
 */
export async function readDebRecord(
  path: string,
  digests: FileDigests,
  options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<PackageRecord> {
  const { layout, metadata } = await readDeb(path, options);
  const version = controlField(metadata, 'Version') ?? formatVersion(layout.version);
  const split = metadata.find(([, value]) => value.split('\n').some((line, at) => at > 0 && line.trim() === ''));
  if (split !== undefined) {
    throw new KubeparcelError('format', `control field ${split[0]} contains an empty line`, { where: path });
  }
  return {
    schema: RECORD_SCHEMA,
    format: 'deb',
    name: layout.name,
    version,
    architecture: layout.architecture,
    size: digests.size,
    sha256: digests.sha256,
    installedSize: payloadSize(layout),
    date: layout.date,
    summary: layout.summary,
    description: layout.description,
    changelog: layout.changelog.slice(0, CHANGELOG_LIMIT),
    requires: [...layout.relations.preDepends, ...layout.relations.depends],
    provides: layout.relations.provides.flatMap(({ anyOf }) =>
      anyOf.map(({ name, constraint }) => ({ name, version: constraint?.version })),
    ),
    stanza: stanza(metadata, digests),
    section: layout.section,
    files: layout.entries.filter(({ kind }) => kind !== 'directory').map((entry) => entry.path),
    xml: undefined,
  };
}

/** The package's fields in their original order, then Size and the digests, then Description. */
function stanza(control: readonly (readonly [string, string])[], digests: FileDigests): string {
  const own = control.filter(([name]) => !INDEX_FIELDS.includes(name.toLowerCase()));
  const isDescription = ([name]: readonly [string, string]) => name.toLowerCase() === 'description';
  return formatControl([
    ...own.filter((field) => !isDescription(field)),
    ['Size', String(digests.size)],
    ['MD5sum', digests.md5],
    ['SHA1', digests.sha1],
    ['SHA256', digests.sha256],
    ...own.filter(isDescription),
  ]);
}
