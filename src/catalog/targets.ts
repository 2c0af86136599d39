import { CODECS, type Codec, type Compression } from '../model/compression.ts';
import { FORMATS, type Format } from '../model/format.ts';
import { KubeparcelError } from '../support/errors.ts';
import { type Distribution, normalName } from './distribution.ts';
import type { Catalog } from './model.ts';

/** The distributions that a package is built for: a family, or a single one. */
export interface Target {
  /** The family (deb, rpm) or the distribution (debian-12). */
  readonly id: string;
  readonly format: Format;
  /** At least one. */
  readonly distributions: readonly Distribution[];
  /** The best compression that all of the distributions support. */
  readonly compression: Compression;
  /** The codecs that all of the distributions support. */
  readonly codecs: readonly Codec[];
  /** Suffix of the revision: empty for a family, ~debian12 or .el9 for one distribution. */
  readonly revisionSuffix: string;
}

/**
 * Returns the targets of a build. Without distributions: one target per format, for the whole family. With distributions
 * (ids or aliases, in any spelling: debian-12, debian12, bookworm): one target for each of them.
 *
 * @throws KubeparcelError of kind 'usage' for an unknown name, and for a distribution whose format is not selected
 */
export function targets(
  catalog: Catalog,
  selection: {
    readonly formats?: readonly Format[] | undefined;
    readonly distributions?: readonly string[] | undefined;
  },
): Target[] {
  const formats = FORMATS.filter((format) => (selection.formats ?? FORMATS).includes(format));
  if (selection.distributions === undefined || selection.distributions.length === 0) {
    return formats.flatMap((format) => families(catalog, format));
  }
  const found = new Set(selection.distributions.map((name) => findDistribution(catalog, name)));
  return [...found].map((distribution) => {
    if (!formats.includes(distribution.format)) {
      throw new KubeparcelError('usage', `${distribution.id} needs ${distribution.format} packages`, {
        hint: `add ${distribution.format} to the formats, or remove ${distribution.id}`,
      });
    }
    return target(distribution.id, [distribution], distribution.suffix);
  });
}

function families(catalog: Catalog, format: Format): Target[] {
  const members = new Map<string, Distribution[]>();
  for (const distribution of catalog.distributions) {
    if (distribution.format === format && distribution.family !== undefined) {
      members.set(distribution.family, [...(members.get(distribution.family) ?? []), distribution]);
    }
  }
  return [...members].map(([family, distributions]) => target(family, distributions, ''));
}

function target(id: string, distributions: readonly Distribution[], revisionSuffix: string): Target {
  const [first] = distributions;
  const codecs = CODECS.filter((codec) =>
    distributions.every(({ compression }) => compression.some((each) => each.codec === codec)),
  );
  const compression = first?.compression.find(({ codec }) => codecs.includes(codec));
  if (first === undefined || compression === undefined) {
    throw new KubeparcelError('config', `the distributions of ${id} have no compression in common`, {
      hint: 'add none to their compressions in packaging/distributions, or set apart for one of them',
    });
  }
  return { id, format: first.format, distributions, compression, codecs, revisionSuffix };
}

/** @throws KubeparcelError of kind 'usage' for an unknown id or alias */
export function findDistribution(catalog: Catalog, name: string): Distribution {
  const normalized = normalName(name);
  const found = catalog.distributions.find(({ id, aliases }) =>
    [id, ...aliases].some((known) => normalName(known) === normalized),
  );
  if (found === undefined) {
    throw new KubeparcelError('usage', `unknown distribution ${JSON.stringify(name)}`, {
      hint: `choose from ${catalog.distributions.map(({ id }) => id).join(', ')}`,
    });
  }
  return found;
}
