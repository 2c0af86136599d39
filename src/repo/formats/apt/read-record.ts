import { controlField, formatControl } from '../../../deb/control-file.ts';
import { readDeb } from '../../../deb/read.ts';
import { payloadSize } from '../../../model/layout.ts';
import { formatVersion } from '../../../model/package-version.ts';
import { KubeparcelError } from '../../../support/errors.ts';
import type { FileDigests } from '../../model/record.ts';
import { CHANGELOG_LIMIT, type PackageRecord, RECORD_SCHEMA } from '../../model/record.ts';

/** What an index adds to a control paragraph: a package cannot state it of itself. */
const ADDED = ['filename', 'size', 'md5sum', 'sha1', 'sha256', 'sha512', 'description-md5', 'status'];

/**
 * Reads all that Packages and Contents say of a DEB, and checks every digest in it.
 *
 * @throws KubeparcelError of kind 'format' for a DEB that is damaged
 */
export async function readDebRecord(
  path: string,
  digests: FileDigests,
  options: { readonly signal?: AbortSignal } = {},
): Promise<PackageRecord> {
  const { layout, metadata } = await readDeb(path, options);
  const version = controlField(metadata, 'Version') ?? formatVersion(layout.version);
  const odd = metadata.find(([, value]) => value.split('\n').some((line, at) => at > 0 && line.trim() === ''));
  if (odd !== undefined) {
    throw new KubeparcelError('format', `its field ${odd[0]} has an empty line`, { where: path });
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

/** The package's own fields in their order, with size and digests before the description, which stands last. */
function stanza(control: readonly (readonly [string, string])[], digests: FileDigests): string {
  const own = control.filter(([name]) => !ADDED.includes(name.toLowerCase()));
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
