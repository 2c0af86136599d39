import type { Layout } from '../../model/layout.ts';
import { RELATION_KINDS, type Relation, type RelationKind } from '../../model/relation.ts';
import { rpmPackager } from '../../rpm/write.ts';

/** 2024-01-01. A constant, so that the package is reproducible. */
const DATE = 1_704_067_200;

/**
 * Writes an RPM without files that provides the names of a distribution's packages, for hosts built from the packages of
 * another distribution.
 *
 * @param provides entries of the form `NAME` or `NAME = VERSION`
 * @param spoolDirectory an existing directory for temporary files
 */
export function providesRpm(provides: readonly string[], spoolDirectory: string): AsyncIterable<Uint8Array> {
  const relations = Object.fromEntries(RELATION_KINDS.map((kind) => [kind, [] as Relation[]])) as Record<
    RelationKind,
    Relation[]
  >;
  relations.provides = provides.map((text) => {
    const [name = '', version] = text.split(' = ');
    return { anyOf: [{ name, ...(version === undefined ? {} : { constraint: { operator: '=', version } }) }] };
  });
  const layout: Layout = {
    format: 'rpm',
    name: 'kubeparcel-host-provides',
    version: { epoch: 0, upstream: '1', revision: '1' },
    architecture: 'noarch',
    summary: 'Provides the package names of the distribution',
    description: 'Replaces the packages of the distribution on a host for tests.',
    license: 'Apache-2.0',
    maintainer: '',
    homepage: '',
    section: '',
    source: 'kubeparcel-host-provides',
    date: DATE,
    relations,
    scripts: {},
    changelog: [],
    entries: [],
  };
  const objects = {
    open: (sha256: string) => {
      throw new Error(`no object ${sha256} in a package without files`);
    },
  };
  return rpmPackager.write(layout, { compression: { codec: 'none', level: 0 }, objects, spoolDirectory });
}
