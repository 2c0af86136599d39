import coerce from 'semver/functions/coerce.js';
import compare from 'semver/functions/compare.js';
import type { Distribution, LibraryPackage } from '../catalog/distribution.ts';
import type { PackageDefinition, RelationRange, RelationRule } from '../catalog/package-schema.ts';
import { rangeAt } from '../catalog/ranges.ts';
import type { Target } from '../catalog/targets.ts';
import type { PayloadFile } from '../model/payload.ts';
import { noRelations, type Relation, type RelationKind, type RelationTarget } from '../model/relation.ts';
import { KubeparcelError } from '../support/errors.ts';

type Relations = Record<RelationKind, Relation[]>;

/** The relations of a package for a release, with the package names of the target's distributions. */
export function composeRelations(
  definition: PackageDefinition,
  target: Target,
  kubernetes: string,
  files: readonly PayloadFile[],
): Relations {
  const relations = noRelations();
  for (const rule of definition.relations) {
    const range = rangeAt(rule.ranges, kubernetes);
    if (range !== undefined && !range.absent && rule.formats.includes(target.format)) {
      addRule(relations, rule, range, target.distributions);
    }
  }
  relations.depends.push(...libraryRelations(definition, target, files));
  return relations;
}

/** Kinds in which several targets are alternatives. */
const ALTERNATIVE_KINDS: ReadonlySet<RelationKind> = new Set(['preDepends', 'depends', 'recommends', 'suggests']);

function addRule(
  relations: Relations,
  { kind, name }: RelationRule,
  { constraint }: RelationRange,
  distributions: readonly Distribution[],
): void {
  const names = distributions.map((distribution) => distribution.names[name] ?? [name]);
  const targets = [...new Set(names.flat())].map(
    (each): RelationTarget => (constraint === undefined ? { name: each } : { name: each, constraint }),
  );
  if (targets.length === 0) return;
  if (ALTERNATIVE_KINDS.has(kind)) {
    // If some of the distributions do not have the package, it can only be recommended.
    const isMissingSomewhere = names.some((each) => each.length === 0);
    relations[isMissingSomewhere && kind !== 'suggests' ? 'recommends' : kind].push({ anyOf: targets });
  } else {
    relations[kind].push(...targets.map((each) => ({ anyOf: [each] })));
  }
}

/**
 * Relations for the shared libraries of dynamically linked binaries: to sonames as written by rpm's elfdeps
 * (`libc.so.6(GLIBC_2.34)(64bit)`), or to packages as written by dpkg-shlibdeps (`libc6 (>= 2.34)`).
 *
 * @throws KubeparcelError of kind 'format' for a library without a package in packaging/distributions
 */
function libraryRelations(definition: PackageDefinition, target: Target, files: readonly PayloadFile[]): Relation[] {
  const dynamic = files.filter((file) => file.libraries.length > 0);
  return target.format === 'rpm' ? sonameRelations(dynamic) : packageRelations(definition, target, dynamic);
}

/** Names that elfdeps counts as system libraries; excludes plugins and the vDSO. */
const SYSTEM_SONAME = /^(?=.*\.so)(ld\.|ld-|ld64\.|ld64-|lib)/;

/** All supported architectures are 64-bit. */
function sonameRelations(files: readonly PayloadFile[]): Relation[] {
  const names = files.flatMap((file) =>
    file.libraries
      .filter(({ soname }) => SYSTEM_SONAME.test(soname))
      .flatMap(({ soname, symbolVersions }) => ['', ...symbolVersions].map((symbol) => `${soname}(${symbol})(64bit)`)),
  );
  return [...new Set(names)].sort().map((name) => ({ anyOf: [{ name }] }));
}

function packageRelations(definition: PackageDefinition, target: Target, files: readonly PayloadFile[]): Relation[] {
  const versions = new Map<string, string[]>();
  for (const file of files) {
    for (const { soname, symbolVersions } of file.libraries) {
      for (const { id, libraries } of target.distributions) {
        const library = libraries[soname];
        if (library === undefined) {
          throw new KubeparcelError(
            'format',
            `${file.name} is linked with ${soname}, but no package is known to contain it`,
            {
              where: `package ${definition.name}`,
              hint: `add ${soname} to libraries in packaging/distributions for ${id}`,
            },
          );
        }
        const minimums = symbolVersions.map((symbol) => packageVersion(symbol, library, file, definition, id));
        versions.set(library.package, [...(versions.get(library.package) ?? []), ...minimums.filter(isDefined)]);
      }
    }
  }
  return [...versions]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, minimums]) => {
      const version = minimums.sort(compareVersions).at(-1);
      return { anyOf: [version === undefined ? { name } : { name, constraint: { operator: '>=', version } }] };
    });
}

function packageVersion(
  symbol: string,
  { symbols, others }: LibraryPackage,
  file: PayloadFile,
  definition: PackageDefinition,
  distribution: string,
): string | undefined {
  if (symbols === undefined) return undefined;
  const version = others?.[symbol] ?? (symbol.startsWith(symbols) ? symbol.slice(symbols.length) : '');
  if (!/^\d+(\.\d+)*$/.test(version)) {
    throw new KubeparcelError('format', `${file.name} needs ${symbol}, but no package version is known to provide it`, {
      where: `package ${definition.name}`,
      hint: `add ${symbol} to others of the library in packaging/distributions for ${distribution}`,
    });
  }
  return version;
}

function isDefined(value: string | undefined): value is string {
  return value !== undefined;
}

/** 2.4 < 2.34, 2.2 < 2.2.5 */
function compareVersions(a: string, b: string): number {
  return compare(coerce(a) ?? '0.0.0', coerce(b) ?? '0.0.0');
}
