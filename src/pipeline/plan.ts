import type { Catalog } from '../catalog/model.ts';
import type { PackageDefinition } from '../catalog/package-schema.ts';
import type { Target } from '../catalog/targets.ts';
import { packageIdentity } from '../layout/compose.ts';
import type { Architecture } from '../model/architecture.ts';
import type { Component } from '../model/component.ts';
import type { Compression } from '../model/compression.ts';
import { KubeparcelError } from '../support/errors.ts';
import { PACKAGERS } from './formats.ts';

/** One package to build. */
export interface BuildTask {
  readonly package: string;
  readonly component: Component;
  readonly architecture: Architecture;
  readonly target: Target;
  readonly compression: Compression;
  readonly file: string;
}

export interface PlanRequest {
  /** Kubernetes version without `v`, and the versions of components that have their own. */
  readonly release: {
    readonly version: string;
    readonly components: Readonly<Partial<Record<Component, string>>>;
  };
  readonly packages: readonly PackageDefinition[];
  readonly architectures: readonly Architecture[];
  readonly targets: readonly Target[];
  readonly revision: string;
  /** Overrides the default of each target. */
  readonly compression?: Compression | undefined;
  /** Uses the fastest compression of each target. */
  readonly fast?: boolean | undefined;
}

/**
 * Plans one task for each target, architecture and package, in this order. Pure.
 *
 * @throws KubeparcelError of kind 'usage' if a target's package manager cannot read the requested compression, or if two
 * packages have the same file name
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
  rejectDuplicateFiles(tasks);
  return tasks;
}

/**
 * Selects packages by name, in the order of the catalog; all if `names` is undefined.
 *
 * @throws KubeparcelError of kind 'usage' for an unknown name
 */
export function choosePackages(catalog: Catalog, names: readonly string[] | undefined): PackageDefinition[] {
  const known = catalog.packages.map((definition) => definition.name);
  const unknown = names?.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new KubeparcelError('usage', `unknown package ${JSON.stringify(unknown)}`, {
      hint: `choose from ${known.join(', ')}`,
    });
  }
  return catalog.packages.filter((definition) => names?.includes(definition.name) ?? true);
}

/** Fast levels that still save most of the space; smallest result first. */
const FAST: readonly Compression[] = [
  { codec: 'zstd', level: 3 },
  { codec: 'gzip', level: 1 },
  { codec: 'xz', level: 0 },
];

function fastCompression(target: Target): Compression {
  return FAST.find(({ codec }) => target.codecs.includes(codec)) ?? target.compression;
}

function targetCompression(target: Target, requested: Compression | undefined): Compression {
  if (requested === undefined) return target.compression;
  const { codec } = requested;
  if (!target.codecs.includes(codec)) {
    const unsupported = target.distributions.filter(
      ({ compression }) => !compression.some((each) => each.codec === codec),
    );
    throw new KubeparcelError(
      'usage',
      `${unsupported.map(({ id }) => id).join(', ')} cannot read packages compressed with ${codec}`,
      {
        where: `${target.id} packages`,
        hint: `choose one of ${target.codecs.join(', ')}, or select other distributions with --distro`,
      },
    );
  }
  return requested;
}

function rejectDuplicateFiles(tasks: readonly BuildTask[]): void {
  const owners = new Map<string, BuildTask>();
  for (const task of tasks) {
    const other = owners.get(task.file);
    if (other !== undefined) {
      throw new KubeparcelError(
        'usage',
        `two packages have the same file name: ${other.target.id} and ${task.target.id}`,
        {
          where: task.file,
          hint: 'build them separately with different --out directories, or give the distributions different suffixes',
        },
      );
    }
    owners.set(task.file, task);
  }
}
