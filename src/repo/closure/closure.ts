import type { Distribution } from '../../catalog/distribution.ts';
import type { Format } from '../../model/format.ts';
import type { Relation, RelationTarget } from '../../model/relation.ts';
import { formatRelation } from '../../model/relation.ts';
import { compareMinors } from '../model/minors.ts';
import type { Provision } from '../model/record.ts';
import type { ProvidedNames } from './provided.ts';
import { richHolds, satisfies } from './satisfies.ts';

/** A package as the gate sees it: what it is, what it asks for, what it offers. */
export interface ClosurePackage {
  readonly format: Format;
  readonly name: string;
  /** [epoch:]upstream[-revision] in the format's spelling. */
  readonly version: string;
  /** In the format's words. */
  readonly architecture: string;
  /** Kubernetes' minors that it is offered with: `1.36`. */
  readonly minors: readonly string[];
  /** Pre-Depends and Depends; Requires. A rich dependency is one target whose name is the expression. */
  readonly requires: readonly Relation[];
  readonly provides: readonly Provision[];
  /** Paths that relations may name; RPM only. */
  readonly files: readonly string[];
}

/** A relation that cannot be satisfied (`relation`), or a package that a minor lacks altogether (no relation). */
export interface ClosureFault {
  readonly minor: string;
  readonly format: Format;
  readonly architecture: string;
  /** What is missing: the relation's text, or the package's name. */
  readonly missing: string;
  /** `kubeadm 1.31.4-1` */
  readonly askedBy: string | undefined;
  /** Versions of what is asked for that there are, but will not do. */
  readonly others: readonly string[];
  /** Ids of the distributions that it is so on. */
  readonly distributions: readonly string[];
  /** Whether a package of kubeparcel's own would help: then it is to be built and added. */
  readonly ours: boolean;
}

export interface ClosureReport {
  /** By minor, architecture, what is missing. Empty when all is there. */
  readonly faults: readonly ClosureFault[];
  /** Count of relations looked at, one for each distribution that it has to hold on. */
  readonly checked: number;
  /** Architectures that there are packages for, and that a distribution of their format has not. */
  readonly skipped: readonly { readonly distribution: string; readonly architecture: string }[];
  /** Distributions whose names nobody verified, with the count of relations that rest on them. */
  readonly assumed: readonly { readonly distribution: string; readonly relations: number }[];
}

interface ClosureRequest {
  readonly packages: readonly ClosurePackage[];
  /** All distributions that packages may have been built for. */
  readonly known: readonly Distribution[];
  /** Those of them to hold on. */
  readonly distributions: readonly Distribution[];
  readonly provided: readonly ProvidedNames[];
  /** Names of the packages that every minor has to have: those of packaging/packages. */
  readonly complete: readonly string[];
}

/**
 * The closure gate. For each distribution, architecture and minor: every relation that must hold for an installation
 * resolves inside that minor's packages and the distribution's own, and no package of ours is left out. A package that
 * was built for a single distribution counts there only.
 */
export function checkClosure(request: ClosureRequest): ClosureReport {
  const faults = new Map<string, ClosureFault & { distributions: string[] }>();
  const assumed = new Map<string, number>();
  const skipped = new Map<string, { distribution: string; architecture: string }>();
  let checked = 0;
  const suffixes = request.known.map(({ suffix }) => suffix);
  const views = viewsOf(request.packages);
  for (const distribution of request.distributions) {
    const list = request.provided.find((each) => each.distribution === distribution.id);
    for (const view of views.filter(({ format }) => format === distribution.format)) {
      const packages = view.packages.filter((each) => servesDistribution(each, distribution, suffixes));
      if (!packages.some(({ name }) => request.complete.includes(name))) continue;
      const provided = list?.architectures[view.architecture];
      if (list === undefined || provided === undefined) {
        const { architecture } = view;
        skipped.set(`${distribution.id} ${architecture}`, { distribution: distribution.id, architecture });
        continue;
      }
      const index = indexOf(packages);
      const names = new Map(Object.entries(provided));
      const note = (fault: Pick<ClosureFault, 'missing' | 'askedBy' | 'others' | 'ours'>) => {
        const { minor, format, architecture } = view;
        const key = JSON.stringify([minor, format, architecture, fault.missing, fault.askedBy]);
        const known = faults.get(key);
        if (known === undefined) {
          faults.set(key, { minor, format, architecture, ...fault, distributions: [distribution.id] });
        } else {
          known.distributions.push(distribution.id);
        }
      };
      for (const name of request.complete) {
        if (!index.byName.has(name)) note({ missing: name, askedBy: undefined, others: [], ours: true });
      }
      for (const each of packages) {
        for (const relation of each.requires) {
          checked += 1;
          const verdict = resolve(relation, distribution.format, index, names, list.verified);
          if (verdict === 'assumed') assumed.set(distribution.id, (assumed.get(distribution.id) ?? 0) + 1);
          if (verdict !== 'missing') continue;
          note({
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

interface View {
  readonly minor: string;
  readonly format: Format;
  readonly architecture: string;
  readonly packages: ClosurePackage[];
}

const EVERY_ARCHITECTURE: Readonly<Record<Format, string>> = { deb: 'all', rpm: 'noarch' };

/** What one machine sees of one minor: packages of its architecture and those of none. */
function viewsOf(packages: readonly ClosurePackage[]): View[] {
  const views = new Map<string, View>();
  for (const each of packages) {
    for (const minor of each.minors) {
      const { format, architecture } = each;
      if (architecture === EVERY_ARCHITECTURE[format]) continue;
      const key = `${minor} ${format} ${architecture}`;
      const view = views.get(key) ?? { minor, format, architecture, packages: [] };
      view.packages.push(each);
      views.set(key, view);
    }
  }
  for (const view of views.values()) {
    view.packages.push(
      ...packages.filter(
        ({ format, architecture, minors }) =>
          format === view.format && architecture === EVERY_ARCHITECTURE[format] && minors.includes(view.minor),
      ),
    );
  }
  return [...views.values()];
}

/** A suffix behind the revision (~debian12, .el9) is that of the one distribution it was built for. */
function servesDistribution(
  { version }: ClosurePackage,
  { suffix, family }: Distribution,
  suffixes: readonly string[],
): boolean {
  const own = suffixes.filter((each) => version.endsWith(each)).sort((a, b) => b.length - a.length)[0];
  return own === undefined ? family !== undefined : own === suffix;
}

interface Index {
  readonly byName: ReadonlyMap<string, readonly Provision[]>;
  readonly files: ReadonlySet<string>;
}

function indexOf(packages: readonly ClosurePackage[]): Index {
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

function resolve(
  relation: Relation,
  format: Format,
  index: Index,
  names: ReadonlyMap<string, readonly string[]>,
  verified: boolean,
): Verdict {
  let verdict: Verdict = 'inside';
  const resolves = (target: RelationTarget): boolean => {
    const name = plainName(target.name);
    // What rpm itself is able to do; packages are written for what each distribution's rpm knows.
    if (format === 'rpm' && name.startsWith('rpmlib(')) return true;
    if (index.files.has(name)) return true;
    if ((index.byName.get(name) ?? []).some((provision) => satisfies(format, target, provision))) return true;
    const versions = names.get(name) ?? (verified ? undefined : names.get(unversionedSoname(name)));
    if (versions === undefined) return false;
    // Names that nobody verified have no versions, and are taken for any.
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

/** `python3:any` asks for python3 of any architecture. */
function plainName(name: string): string {
  return name.replace(/:(any|native|[a-z0-9-]+)$/, (whole) => (name.includes('(') ? whole : ''));
}

/** `libc.so.6(GLIBC_2.34)(64bit)` is `libc.so.6()(64bit)` to a list that nobody verified. */
function unversionedSoname(name: string): string {
  return name.replace(/^([^()]+\.so[^()]*)\([^()]+\)/, '$1()');
}

function compareText(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}
