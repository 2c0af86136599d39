import { join } from 'node:path';
import { loadCatalog } from '../catalog/catalog.ts';
import { generatorData } from '../catalog/generator-data.ts';
import type { Catalog } from '../catalog/model.ts';
import { pinsFor, releaseDate } from '../catalog/pins.ts';
import { targets } from '../catalog/targets.ts';
import { composeLayout } from '../layout/compose.ts';
import type { Restart } from '../layout/compose-scripts.ts';
import { loadTemplates, type TemplateSet } from '../layout/templates.ts';
import type { Architecture } from '../model/architecture.ts';
import type { Pins } from '../model/component.ts';
import type { Compression } from '../model/compression.ts';
import type { Format } from '../model/format.ts';
import type { Payload } from '../model/payload.ts';
import { openSource } from '../payload/sources/open-source.ts';
import type { ServerBases } from '../payload/sources/url-layout.ts';
import { readLock, releaseFromLock } from '../release/lock.ts';
import type { Release } from '../release/release.ts';
import { resolveRelease } from '../release/resolve.ts';
import type { Source } from '../release/source.ts';
import { parseVersionRequest } from '../release/version-request.ts';
import { confgenPrograms } from '../runner/program.ts';
import { packageRoot } from '../support/package-root.ts';
import { sourceDateEpoch } from '../support/source-date-epoch.ts';
import type { OnPipelineEvent } from './events.ts';
import { type BuildTask, choosePackages, planBuild } from './plan.ts';
import type { PackageJob } from './run.ts';

/** Settings of a build, from flags and kubeparcel.yaml. */
export interface Settings {
  readonly version: string;
  readonly packages: readonly string[] | undefined;
  readonly architectures: readonly Architecture[];
  readonly formats: readonly Format[] | undefined;
  readonly distributions: readonly string[] | undefined;
  readonly revision: string;
  /** Override the versions that packaging/versions.yaml pins. */
  readonly components: Partial<Pins>;
  readonly source: string;
  readonly servers: ServerBases;
  /** Trusted SHA-256 by URL. */
  readonly digests: Readonly<Record<string, string>>;
  readonly compression: Compression | undefined;
  readonly fast: boolean;
  readonly maintainer: string;
  readonly restart: Restart;
  /** Undefined: the default of the distribution. */
  readonly kernel: boolean | undefined;
  /** Include kubelet-confgen in the packages that define a path for it. */
  readonly confgen: boolean;
  readonly templates: string | undefined;
  readonly packaging: string | undefined;
  /** Lock file that fixes all versions and digests. */
  readonly lock: string | undefined;
  /** Number of parallel downloads and packages. */
  readonly jobs: number;
}

/** A release with the digests of its artifacts, and the packages to build from it. */
export interface Prepared {
  readonly settings: Settings;
  readonly catalog: Catalog;
  readonly templates: TemplateSet;
  readonly source: Source;
  readonly release: Release;
  readonly tasks: readonly BuildTask[];
  /** kubelet-confgen by architecture; empty if no package contains it. */
  readonly programs: ReadonlyMap<Architecture, Uint8Array>;
}

/**
 * Loads the packaging data, resolves the release and plans the build. Downloads only version and digest files. The caller
 * closes `source`.
 */
export async function prepare(
  settings: Settings,
  context: { readonly onEvent?: OnPipelineEvent | undefined; readonly signal?: AbortSignal | undefined },
): Promise<Prepared> {
  // Fail before any download if it is invalid.
  sourceDateEpoch(process.env);
  const packaging = settings.packaging ?? join(packageRoot(), 'packaging');
  const catalog = await loadCatalog(packaging);
  const templates = await loadTemplates(settings.templates);
  const packages = choosePackages(catalog, settings.packages);
  const buildTargets = targets(catalog, settings);
  const request = parseVersionRequest(settings.version);
  const components = [...new Set(packages.map((definition) => definition.component))];
  const { architectures, revision, compression, fast } = settings;
  const source = await openSource(settings.source, {
    packaging,
    bases: settings.servers,
    digests: new Map(Object.entries(settings.digests)),
  });
  try {
    const release =
      settings.lock === undefined
        ? await resolveRelease(request, {
            ...context,
            source,
            components,
            architectures,
            pins: (version) => pinsFor(catalog, version, settings.components),
          })
        : releaseFromLock(await readLock(settings.lock), { request, components, architectures, where: settings.lock });
    const tasks = planBuild({ release, packages, architectures, targets: buildTargets, revision, compression, fast });
    const needsPrograms = packages.some(({ contents }) => contents.some((rule) => 'program' in rule));
    const programs =
      settings.confgen && needsPrograms
        ? await confgenPrograms(architectures, generatorData(catalog, release.version))
        : new Map();
    context.onEvent?.({ kind: 'planned', version: release.version, tasks });
    return { settings, catalog, templates, source, release, tasks, programs };
  } catch (error) {
    await source.close();
    throw error;
  }
}

/** Composes the layout of every task from the fetched payload. */
export function composeLayouts(prepared: Prepared, payload: Payload, environment = process.env): PackageJob[] {
  const { catalog, templates, settings, tasks, programs } = prepared;
  const date = sourceDateEpoch(environment) ?? payload.date ?? releaseDate(catalog, payload.version);
  return tasks.map((task) => ({
    task,
    layout: composeLayout({
      catalog,
      templates,
      name: task.package,
      target: task.target,
      architecture: task.architecture,
      payload,
      revision: settings.revision,
      maintainer: settings.maintainer,
      restart: settings.restart,
      kernel: settings.kernel,
      confgen: programs.get(task.architecture),
      date,
    }),
  }));
}
