import type { Catalog } from '../catalog/model.ts';
import type { PackageDefinition } from '../catalog/package-schema.ts';
import type { Target } from '../catalog/targets.ts';
import { packageIdentity } from '../layout/compose.ts';
import type { Architecture } from '../model/architecture.ts';
import type { Component } from '../model/component.ts';
import type { Codec, Compression } from '../model/compression.ts';
import { KubeparcelError } from '../support/errors.ts';
import { PACKAGERS } from './formats.ts';

/** One package to be made. */
export interface BuildTask {
  /** Name of the package: kubelet. */
  readonly package: string;
  readonly component: Component;
  readonly architecture: Architecture;
  readonly target: Target;
  readonly compression: Compression;
  /** The package's file name. */
  readonly file: string;
}

export interface PlanRequest {
  /** Kubernetes' version without `v`, and the versions of the components. */
  readonly release: {
    readonly version: string;
    readonly components: Readonly<Partial<Record<Component, string>>>;
  };
  readonly packages: readonly PackageDefinition[];
  readonly architectures: readonly Architecture[];
  readonly targets: readonly Target[];
  readonly revision: string;
  /** Instead of what is best for each target. */
  readonly compression?: Compression | undefined;
  /** The quickest that each target reads, for trying things out. */
  readonly fast?: boolean | undefined;
}

/**
 * Release x packages x architectures x targets -> tasks, in this order. Pure.
 *
 * @throws KubeparcelError of kind 'usage' when a target's package manager cannot read the wanted compression, and when
 * two packages would have the same file name
 */
export function planBuild(request: PlanRequest): BuildTask[] {
  const { release, targets, architectures, packages, revision } = request;
  const tasks = targets.flatMap((target) => {
    const compression = request.fast ? fastCompression(target) : targetCompression(target, request.compression);
    return architectures.flatMap((architecture) =>
      packages.map((definition): BuildTask => {
        const { component, name } = definition;
        const version = release.components[component] ?? release.version;
        const identity = packageIdentity({ name, version, target, architecture, revision });
        const file = PACKAGERS[target.format].fileName(identity);
        return { package: name, component, architecture, target, compression, file };
      }),
    );
  });
  refuseClashes(tasks);
  return tasks;
}

/**
 * The packages of the catalog that are asked for, in the catalog's order; all when none is named.
 *
 * @throws KubeparcelError of kind 'usage' that lists the names there are
 */
export function choosePackages(catalog: Catalog, names: readonly string[] | undefined): PackageDefinition[] {
  const known = catalog.packages.map((definition) => definition.name);
  const strange = names?.find((name) => !known.includes(name));
  if (strange !== undefined) {
    throw new KubeparcelError('usage', `no such package: ${JSON.stringify(strange)}`, {
      hint: `name some of ${known.join(', ')}`,
    });
  }
  return catalog.packages.filter((definition) => names?.includes(definition.name) ?? true);
}

/** The quickest of each codec that saves much, the smallest result first. */
const FAST: readonly Compression[] = [
  { codec: 'zstd', level: 3 },
  { codec: 'gzip', level: 1 },
  { codec: 'xz', level: 0 },
];

function fastCompression(target: Target): Compression {
  return FAST.find(({ codec }) => target.codecs.includes(codec)) ?? target.compression;
}

function targetCompression(target: Target, wanted: Compression | undefined): Compression {
  if (wanted === undefined) return target.compression;
  if (!target.codecs.includes(wanted.codec)) {
    const cannot = target.distributions.filter(({ compression }) => !reads(compression, wanted.codec));
    throw new KubeparcelError(
      'usage',
      `not every distribution of ${target.id} reads packages compressed with ${wanted.codec}`,
      {
        where: cannot.map(({ id }) => id).join(', '),
        hint: `choose one of ${target.codecs.join(', ')}, or name distributions that can with --distro`,
      },
    );
  }
  return wanted;
}

function reads(compressions: readonly Compression[], codec: Codec): boolean {
  return compressions.some((each) => each.codec === codec);
}

function refuseClashes(tasks: readonly BuildTask[]): void {
  const owners = new Map<string, BuildTask>();
  for (const task of tasks) {
    const other = owners.get(task.file);
    if (other !== undefined) {
      throw new KubeparcelError('usage', `two packages would be the same file: ${other.target.id}, ${task.target.id}`, {
        where: task.file,
        hint: 'build them in two runs with an --out each, or give the distributions different suffixes',
      });
    }
    owners.set(task.file, task);
  }
}
