import type { Distribution } from '../../catalog/distribution.ts';
import { goArchitecture } from '../../model/architecture.ts';
import type { Format } from '../../model/format.ts';
import { formatRelation, type Relation, type RelationTarget } from '../../model/relation.ts';
import { compareMinors } from '../model/minors.ts';
import type { Provision } from '../model/record.ts';
import type { ProvidedNames } from './provided.ts';
import { richHolds, satisfies } from './satisfies.ts';

/** Input of the closure check for one package. */
export interface ClosurePackage {
  readonly format: Format;
  readonly name: string;
  /** [epoch:]upstream[-revision] as the format writes it. */
  readonly version: string;
  /** As the format names it. */
  readonly architecture: string;
  /** Kubernetes minors: `1.36`. */
  readonly minors: readonly string[];
  /** Pre-Depends and Depends; Requires. A rich dependency is one target whose name is the expression. */
  readonly requires: readonly Relation[];
  readonly provides: readonly Provision[];
  /** RPM only: paths, which relations may name. */
  readonly files: readonly string[];
}

/** A relation that cannot be satisfied, or a package that a minor does not contain (`askedBy` is undefined). */
export interface ClosureFault {
  readonly minor: string;
  readonly format: Format;
  readonly architecture: string;
  /** The relation or the name of the package. */
  readonly missing: string;
  /** The package with the relation: `kubeadm 1.31.4-1` */
  readonly askedBy: string | undefined;
  /** Available versions that do not satisfy the relation. */
  readonly others: readonly string[];
  /** Ids of the affected distributions. */
  readonly distributions: readonly string[];
  /** Whether kubeparcel can build a package that satisfies it. */
  readonly ours: boolean;
}

export interface ClosureReport {
  /** Sorted by minor, format, architecture and relation. */
  readonly faults: readonly ClosureFault[];
  /** Number of checked relations, counted once per distribution. */
  readonly checked: number;
  /** Architectures of packages that a distribution does not support. */
  readonly skipped: readonly { readonly distribution: string; readonly architecture: string }[];
  /** Distributions with unverified lists, with the number of relations that depend on them. */
  readonly assumed: readonly { readonly distribution: string; readonly relations: number }[];
}

interface ClosureRequest {
  readonly packages: readonly ClosurePackage[];
  /** All distributions that packages can be built for. */
  readonly known: readonly Distribution[];
  /** The distributions to check. */
  readonly distributions: readonly Distribution[];
  readonly provided: readonly ProvidedNames[];
  /** Names of the packages that every minor must contain. */
  readonly complete: readonly string[];
}

/**
 * Checks for each distribution, architecture and minor that the minor contains all packages, and that the minor and the
 * distribution together satisfy the relations of every package. A package built for one distribution is only used there.
 */
export function checkClosure(request: ClosureRequest): ClosureReport {
  const faults = new Map<string, ClosureFault & { distributions: string[] }>();
  const assumed = new Map<string, number>();
  const skipped = new Map<string, { distribution: string; architecture: string }>();
  let checked = 0;
  const suffixes = request.known.map(({ suffix }) => suffix);
  const groups = groupPackages(request.packages);
  for (const distribution of request.distributions) {
    const list = request.provided.find((each) => each.distribution === distribution.id);
    for (const group of groups.filter(({ format }) => format === distribution.format)) {
      const packages = group.packages.filter((each) => servesDistribution(each, distribution, suffixes));
      if (!packages.some(({ name }) => request.complete.includes(name))) continue;
      const provided = list?.architectures[group.architecture];
      if (list === undefined || provided === undefined) {
        const { architecture } = group;
        skipped.set(`${distribution.id} ${architecture}`, { distribution: distribution.id, architecture });
        continue;
      }
      const index = buildIndex(packages);
      const names = new Map(Object.entries(provided));
      const addFault = (fault: Pick<ClosureFault, 'missing' | 'askedBy' | 'others' | 'ours'>) => {
        const { minor, format, architecture } = group;
        const key = JSON.stringify([minor, format, architecture, fault.missing, fault.askedBy]);
        const known = faults.get(key);
        if (known === undefined) {
          faults.set(key, { minor, format, architecture, ...fault, distributions: [distribution.id] });
        } else {
          known.distributions.push(distribution.id);
        }
      };
      for (const name of request.complete) {
        if (!index.byName.has(name)) addFault({ missing: name, askedBy: undefined, others: [], ours: true });
      }
      for (const each of packages) {
        for (const relation of each.requires) {
          checked += 1;
          const verdict = resolveRelation(relation, distribution.format, index, names, list.verified);
          if (verdict === 'assumed') assumed.set(distribution.id, (assumed.get(distribution.id) ?? 0) + 1);
          if (verdict !== 'missing') continue;
          addFault({
            missing: formatRelation(relation),
            askedBy: `${each.name} ${each.version}`,
            others: relation.anyOf.flatMap(({ name }) => [
              ...(index.byName.get(plainName(name)) ?? []).flatMap(({ version = '' }) => `${name} ${version}`.trim()),
              ...(names.get(plainName(name)) ?? []).map((version) => `${distribution.id}'s ${name} ${version}`),
            ]),
            ours: relation.anyOf.some(({ name }) => request.complete.includes(plainName(name))),
          });
        }
      }
    }
  }
  return {
    faults: [...faults.values()].sort(
      (a, b) =>
        compareMinors(a.minor, b.minor) ||
        compareText(a.format, b.format) ||
        compareText(a.architecture, b.architecture) ||
        compareText(a.missing, b.missing) ||
        compareText(a.askedBy ?? '', b.askedBy ?? ''),
    ),
    checked,
    skipped: [...skipped.values()],
    assumed: [...assumed].map(([distribution, relations]) => ({ distribution, relations })),
  };
}

interface PackageGroup {
  readonly minor: string;
  readonly format: Format;
  readonly architecture: string;
  readonly packages: ClosurePackage[];
}

const ARCHITECTURE_INDEPENDENT: Readonly<Record<Format, string>> = { deb: 'all', rpm: 'noarch' };

/** Groups packages by minor, format and architecture. Each group includes the architecture-independent packages. */
function groupPackages(packages: readonly ClosurePackage[]): PackageGroup[] {
  const groups = new Map<string, PackageGroup>();
  for (const each of packages) {
    for (const minor of each.minors) {
      const { format, architecture } = each;
      if (architecture === ARCHITECTURE_INDEPENDENT[format]) continue;
      const key = `${minor} ${format} ${architecture}`;
      const group = groups.get(key) ?? { minor, format, architecture, packages: [] };
      group.packages.push(each);
      groups.set(key, group);
    }
  }
  for (const group of groups.values()) {
    group.packages.push(
      ...packages.filter(
        ({ format, architecture, minors }) =>
          format === group.format && architecture === ARCHITECTURE_INDEPENDENT[format] && minors.includes(group.minor),
      ),
    );
  }
  return [...groups.values()];
}

/** Whether a package is for a distribution: its version has that distribution's suffix (~debian12, .el9) or none. */
function servesDistribution(
  { version }: ClosurePackage,
  { suffix, family }: Distribution,
  suffixes: readonly string[],
): boolean {
  const longestSuffix = suffixes.filter((each) => version.endsWith(each)).sort((a, b) => b.length - a.length)[0];
  return longestSuffix === undefined ? family !== undefined : longestSuffix === suffix;
}

interface Index {
  readonly byName: ReadonlyMap<string, readonly Provision[]>;
  readonly files: ReadonlySet<string>;
}

function buildIndex(packages: readonly ClosurePackage[]): Index {
  const byName = new Map<string, Provision[]>();
  const files = new Set<string>();
  for (const { name, version, provides, files: paths } of packages) {
    for (const provision of [{ name, version }, ...provides]) {
      byName.set(provision.name, [...(byName.get(provision.name) ?? []), provision]);
    }
    for (const path of paths) files.add(path);
  }
  return { byName, files };
}

type Verdict = 'inside' | 'distribution' | 'assumed' | 'missing';

function resolveRelation(
  relation: Relation,
  format: Format,
  index: Index,
  names: ReadonlyMap<string, readonly string[]>,
  verified: boolean,
): Verdict {
  let verdict: Verdict = 'inside';
  const resolves = (target: RelationTarget): boolean => {
    const name = plainName(target.name);
    // Features of rpm itself; packages only use those of the distribution's rpm.
    if (format === 'rpm' && name.startsWith('rpmlib(')) return true;
    if (index.files.has(name)) return true;
    if ((index.byName.get(name) ?? []).some((provision) => satisfies(format, target, provision))) return true;
    const versions = names.get(name) ?? (verified ? undefined : names.get(unversionedSoname(name)));
    if (versions === undefined) return false;
    // Names in unverified lists have no versions and match every version.
    const provisions = versions.length === 0 ? [undefined] : versions;
    const fits = provisions.some((version) => satisfies(format, target, { name, version }));
    if (verified && !fits) return false;
    verdict = verified ? 'distribution' : 'assumed';
    return true;
  };
  const holds = relation.anyOf.some((target) =>
    target.name.startsWith('(') ? richHolds(target.name, resolves) : resolves(target),
  );
  return holds ? verdict : 'missing';
}

/** Removes an architecture qualifier: `python3:any` is python3. */
function plainName(name: string): string {
  return name.replace(/:(any|native|[a-z0-9-]+)$/, (whole) => (name.includes('(') ? whole : ''));
}

/** Unverified lists contain `libc.so.6()(64bit)` instead of `libc.so.6(GLIBC_2.34)(64bit)`. */
function unversionedSoname(name: string): string {
  return name.replace(/^([^()]+\.so[^()]*)\([^()]+\)/, '$1()');
}

function compareText(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

/** Message, location and hint for a fault. */
export function faultTexts(fault: ClosureFault): { what: string; where: string; hint: string } {
  const { minor, format, architecture, missing, askedBy, others, distributions, ours } = fault;
  const available = others.length === 0 ? '' : `; available: ${[...new Set(others)].slice(0, 4).join(', ')}`;
  const name = missing.split(' ')[0] ?? missing;
  return {
    what:
      askedBy === undefined
        ? `${missing} is missing`
        : `${askedBy} requires ${missing}, which nothing provides${available}`,
    where: `Kubernetes ${minor}, ${format} ${architecture}, on ${firstThree(distributions)}`,
    hint: ours
      ? `kubeparcel build ${minor} --packages ${name} --formats ${format} --arch ${goArchitecture(architecture)}, then kubeparcel repo add`
      : `if ${distributions[0]} has it, update its list: kubeparcel repo provided ${distributions.slice(0, 3).join(' ')}`,
  };
}

function firstThree(names: readonly string[]): string {
  const more = names.length - 3;
  return more <= 0 ? names.join(', ') : `${names.slice(0, 3).join(', ')} and ${more} more`;
}
