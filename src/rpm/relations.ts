import type { Compression } from '../model/compression.ts';
import type { Entry, Layout } from '../model/layout.ts';
import { formatVersion } from '../model/package-version.ts';
import type { Relation, RelationKind } from '../model/relation.ts';
import {
  type Dependency,
  dependencyTarget,
  formatAlternatives,
  isRich,
  parseRich,
  SENSE,
  sortDependencies,
  targetDependency,
} from './dependency.ts';
import { hasLargeFiles, type ListedFile } from './file-list.ts';
import { rpmArchitecture } from './lead.ts';
import { type Header, numbersOf, textsOf } from './read-header.ts';
import { scriptFeatures } from './scripts.ts';
import { TAGS } from './tags.ts';

/** The dependency lists of a header. */
export const DEPENDENCY_TAGS = {
  requires: { name: TAGS.REQUIRENAME, version: TAGS.REQUIREVERSION, flags: TAGS.REQUIREFLAGS },
  provides: { name: TAGS.PROVIDENAME, version: TAGS.PROVIDEVERSION, flags: TAGS.PROVIDEFLAGS },
  conflicts: { name: TAGS.CONFLICTNAME, version: TAGS.CONFLICTVERSION, flags: TAGS.CONFLICTFLAGS },
  obsoletes: { name: TAGS.OBSOLETENAME, version: TAGS.OBSOLETEVERSION, flags: TAGS.OBSOLETEFLAGS },
  recommends: { name: TAGS.RECOMMENDNAME, version: TAGS.RECOMMENDVERSION, flags: TAGS.RECOMMENDFLAGS },
  suggests: { name: TAGS.SUGGESTNAME, version: TAGS.SUGGESTVERSION, flags: TAGS.SUGGESTFLAGS },
  supplements: { name: TAGS.SUPPLEMENTNAME, version: TAGS.SUPPLEMENTVERSION, flags: TAGS.SUPPLEMENTFLAGS },
  enhances: { name: TAGS.ENHANCENAME, version: TAGS.ENHANCEVERSION, flags: TAGS.ENHANCEFLAGS },
} as const;
export type DependencyList = keyof typeof DEPENDENCY_TAGS;
export type Dependencies = Readonly<Record<DependencyList, readonly Dependency[]>>;

/** Dependencies for the layout's relations and for the package itself, without those for scripts and rpmlib(). */
export function statedDependencies(layout: Layout): Record<DependencyList, Dependency[]> {
  const { relations } = layout;
  const encode = (kind: RelationKind, flags = 0) =>
    relations[kind].map((relation) => relationDependency(relation, flags));
  const own = formatVersion(layout.version);
  const config = hasConfig(layout.entries) ? [configDependency(layout.name, own)] : [];
  return {
    requires: [...encode('preDepends', SENSE.pre), ...encode('depends'), ...config],
    provides: [...encode('provides'), ...ownProvides(layout, own), ...config],
    conflicts: encode('conflicts'),
    obsoletes: encode('replaces'),
    recommends: encode('recommends'),
    suggests: encode('suggests'),
    supplements: encode('supplements'),
    enhances: encode('enhances'),
  };
}

function relationDependency({ anyOf }: Relation, flags: number): Dependency {
  const [first, ...others] = anyOf;
  return first !== undefined && others.length === 0
    ? targetDependency(first, flags)
    : { name: formatAlternatives(anyOf), version: '', flags };
}

/** `name = version`, and for packages that are not noarch `name(isa) = version`. */
function ownProvides(layout: Layout, version: string): Dependency[] {
  const isa = rpmArchitecture(layout.architecture)?.isa;
  const names = [layout.name, ...(isa === undefined ? [] : [`${layout.name}(${isa})`])];
  return names.map((name) => ({ name, version, flags: SENSE.equal }));
}

/** Ties configuration files to the version of the package. */
function configDependency(name: string, version: string): Dependency {
  return { name: `config(${name})`, version, flags: SENSE.config | SENSE.equal };
}

function hasConfig(entries: readonly Entry[]): boolean {
  return entries.some((entry) => entry.role === 'config');
}

export function readDependencies(header: Header): Dependencies {
  const lists = Object.entries(DEPENDENCY_TAGS).map(([list, tags]) => {
    const names = textsOf(header, tags.name) ?? [];
    const versions = textsOf(header, tags.version) ?? [];
    const flags = numbersOf(header, tags.flags) ?? [];
    return [list, names.map((name, i) => ({ name, version: versions[i] ?? '', flags: flags[i] ?? 0 }))] as const;
  });
  return Object.fromEntries(lists) as unknown as Dependencies;
}

/**
 * Converts the dependencies to the relations of a layout. Leaves out dependencies that the writer adds to every package:
 * its own provides, config(), rpmlib() and the interpreters of its scripts.
 *
 * @param interpreters interpreters of the package's scripts and triggers
 */
export function readRelations(
  dependencies: Dependencies,
  identity: Pick<Layout, 'name' | 'version'>,
  interpreters: ReadonlySet<string>,
): Layout['relations'] {
  const own = [formatVersion(identity.version), `${identity.version.epoch}:${formatVersion(identity.version)}`];
  const isOwn = ({ version, flags }: Dependency) => own.includes(version) && (flags & SENSE.equal) !== 0;
  const isConfig = (dependency: Dependency) => dependency.name === `config(${identity.name})` && isOwn(dependency);
  const selfNames = new RegExp(`^${escapeRegExp(identity.name)}(\\([a-z0-9]+-(32|64)\\))?$`);
  const requires = dependencies.requires.filter(
    (dependency) =>
      !dependency.name.startsWith('rpmlib(') &&
      !isConfig(dependency) &&
      !((dependency.flags & SENSE.interpreter) !== 0 && interpreters.has(dependency.name)),
  );
  const isPre = ({ flags }: Dependency) => (flags & (SENSE.pre | SENSE.legacyPreReq)) !== 0;
  const provides = dependencies.provides.filter(
    (dependency) => !isConfig(dependency) && !(selfNames.test(dependency.name) && isOwn(dependency)),
  );
  return {
    preDepends: relationsOf(requires.filter(isPre)),
    depends: relationsOf(requires.filter((dependency) => !isPre(dependency))),
    recommends: relationsOf(dependencies.recommends),
    suggests: relationsOf(dependencies.suggests),
    enhances: relationsOf(dependencies.enhances),
    supplements: relationsOf(dependencies.supplements),
    conflicts: relationsOf(dependencies.conflicts),
    breaks: [],
    replaces: relationsOf(dependencies.obsoletes),
    provides: relationsOf(provides),
  };
}

/** Drops flags that a layout does not distinguish, then duplicates. */
function relationsOf(dependencies: readonly Dependency[]): Relation[] {
  const comparisons = SENSE.less | SENSE.greater | SENSE.equal;
  const plain = dependencies.map((dependency) => ({ ...dependency, flags: dependency.flags & comparisons }));
  return sortDependencies(plain).map((dependency) =>
    isRich(dependency.name) ? parseRich(dependency.name) : { anyOf: [dependencyTarget(dependency)] },
  );
}

function escapeRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}

/** Features that rpm must support to install the package, and the version that introduced them (rpm --showrc). */
const FEATURES = {
  CompressedFileNames: '3.0.4-1',
  PayloadFilesHavePrefix: '4.0-1',
  ScriptletInterpreterArgs: '4.0.3-1',
  BuiltinLuaScripts: '4.2.2-1',
  FileDigests: '4.6.0-1',
  PayloadIsXz: '5.2-1',
  TildeInVersions: '4.10.0-1',
  LargeFiles: '4.12.0-1',
  RichDependencies: '4.12.0-1',
  PayloadIsZstd: '5.4.18-1',
  CaretInVersions: '4.15.0-1',
} as const;

/** `rpmlib(FEATURE) <= VERSION` for the features that a package with this layout and compression uses. */
export function rpmlibDependencies(
  layout: Layout,
  stated: Dependencies,
  files: readonly ListedFile[],
  compression: Compression,
): Dependency[] {
  const all = (Object.keys(DEPENDENCY_TAGS) as DependencyList[]).flatMap((list) => stated[list]);
  const scripts = scriptFeatures(layout);
  const used: Readonly<Record<keyof typeof FEATURES, boolean>> = {
    CompressedFileNames: true,
    PayloadFilesHavePrefix: true,
    ScriptletInterpreterArgs: scripts.interpreterArguments,
    BuiltinLuaScripts: scripts.lua,
    FileDigests: true,
    PayloadIsXz: compression.codec === 'xz',
    TildeInVersions: all.some(({ version }) => version.includes('~')),
    LargeFiles: hasLargeFiles(files),
    RichDependencies: all.some(({ name }) => isRich(name)),
    PayloadIsZstd: compression.codec === 'zstd',
    CaretInVersions: all.some(({ version }) => version.includes('^')),
  };
  return (Object.keys(FEATURES) as (keyof typeof FEATURES)[])
    .filter((feature) => used[feature])
    .map((feature) => ({
      name: `rpmlib(${feature})`,
      version: FEATURES[feature],
      flags: SENSE.rpmlib | SENSE.less | SENSE.equal,
    }));
}
