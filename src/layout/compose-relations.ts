import coerce from 'semver/functions/coerce.js';
import compare from 'semver/functions/compare.js';
import type { Distribution, LibraryPackage } from '../catalog/distribution.ts';
import type { PackageDefinition, RelationRange, RelationRule } from '../catalog/package-schema.ts';
import { rangeAt } from '../catalog/ranges.ts';
import type { Target } from '../catalog/targets.ts';
import type { PayloadFile } from '../model/payload.ts';
import { RELATION_KINDS, type Relation, type RelationKind, type RelationTarget } from '../model/relation.ts';
import { KubeparcelError } from '../support/errors.ts';

type Relations = Record<RelationKind, Relation[]>;

/** What a package of this release asks of others, in the words of the target's distributions. */
export function composeRelations(
  definition: PackageDefinition,
  target: Target,
  kubernetes: string,
  files: readonly PayloadFile[],
): Relations {
  const relations = Object.fromEntries(RELATION_KINDS.map((kind) => [kind, []])) as unknown as Relations;
  for (const rule of definition.relations) {
    const range = rangeAt(rule.ranges, kubernetes);
    if (range !== undefined && !range.absent && rule.formats.includes(target.format)) {
      addRule(relations, rule, range, target.distributions);
    }
  }
  relations.depends.push(...libraryRelations(definition, target, files));
  return relations;
}

/** Kinds whose targets stand for each other: any of them will do. */
const CHOICES: ReadonlySet<RelationKind> = new Set(['preDepends', 'depends', 'recommends', 'suggests']);

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
  if (CHOICES.has(kind)) {
    // One package for distributions of which some have nothing by this name can only wish for it.
    const some = names.some((each) => each.length === 0);
    relations[some && kind !== 'suggests' ? 'recommends' : kind].push({ anyOf: targets });
  } else {
    relations[kind].push(...targets.map((each) => ({ anyOf: [each] })));
  }
}

/**
 * What dynamically linked binaries need of their host: as relations to sonames, as rpm's elfdeps writes them
 * (`libc.so.6(GLIBC_2.34)(64bit)`), or to the packages that have the libraries (`libc6 (>= 2.34)`), as dpkg-shlibdeps
 * would.
 *
 * @throws KubeparcelError of kind 'format' for a library that the data has no package for
 */
export function libraryRelations(
  definition: PackageDefinition,
  target: Target,
  files: readonly PayloadFile[],
): Relation[] {
  const needs = files.filter((file) => file.libraries.length > 0);
  return target.format === 'rpm' ? sonameRelations(needs) : packageRelations(definition, target, needs);
}

/** What elfdeps takes for a library of the system by its name; plugins and the vDSO are none. */
const SYSTEM_SONAME = /^(?=.*\.so)(ld\.|ld-|ld64\.|ld64-|lib)/;

/** All four architectures are 64 bits wide, and say so. */
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
          throw new KubeparcelError('format', `${file.name} is linked with ${soname}, which no known package has`, {
            where: `package ${definition.name}`,
            hint: `add ${soname} to libraries in packaging/distributions for ${id}`,
          });
        }
        const least = symbolVersions.map((symbol) => packageVersion(symbol, library, file, definition, id));
        versions.set(library.package, [...(versions.get(library.package) ?? []), ...least.filter(isText)]);
      }
    }
  }
  return [...versions]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, least]) => {
      const version = least.sort(compareVersions).at(-1);
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
    throw new KubeparcelError('format', `${file.name} needs ${symbol}, and no package version is known to have it`, {
      where: `package ${definition.name}`,
      hint: `add ${symbol} to others of the library in packaging/distributions for ${distribution}`,
    });
  }
  return version;
}

function isText(value: string | undefined): value is string {
  return value !== undefined;
}

/** 2.4 before 2.34, 2.2.5 after 2.2. */
function compareVersions(a: string, b: string): number {
  return compare(coerce(a) ?? '0.0.0', coerce(b) ?? '0.0.0');
}
