import pLimit from 'p-limit';
import { ARCHITECTURES, type Architecture } from '../model/architecture.ts';
import { COMPONENTS, type Component, type Pins, versionOf } from '../model/component.ts';
import { compareArtifacts, type Release } from './release.ts';
import type { Source, SourceContext } from './source.ts';
import type { VersionRequest } from './version-request.ts';

export interface ResolveOptions extends SourceContext {
  readonly source: Source;
  /** Versions of the components that have their own releases; may depend on the version of Kubernetes. */
  readonly pins: Pins | ((version: string) => Pins);
  /** All by default. */
  readonly components?: readonly Component[] | undefined;
  readonly architectures?: readonly Architecture[] | undefined;
  /** Concurrent queries; 8 by default. */
  readonly jobs?: number | undefined;
}

/**
 * Finds the version that satisfies a request, and the digests of its artifacts. Does not fetch artifacts.
 *
 * @throws KubeparcelError as Source.find and Source.artifacts do
 */
export async function resolveRelease(request: VersionRequest, options: ResolveOptions): Promise<Release> {
  const { source, signal, onEvent } = options;
  const components = [...new Set(options.components ?? COMPONENTS)].sort();
  const architectures = [...new Set(options.architectures ?? ARCHITECTURES)].sort();
  const found = await source.find(request, { signal, onEvent });
  onEvent?.({ kind: 'found', version: found.version, source: source.name });
  const defaults = typeof options.pins === 'function' ? options.pins(found.version) : options.pins;
  const pins = {
    cniPlugins: found.pins.cniPlugins ?? defaults.cniPlugins,
    criTools: found.pins.criTools ?? defaults.criTools,
  };
  const versions = components.map((component) => [component, versionOf(component, found.version, pins)] as const);
  const limit = pLimit(options.jobs ?? 8);
  // The first failure cancels the remaining queries.
  const stop = new AbortController();
  const context = { signal: signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]), onEvent };
  const queries = versions.flatMap(([component, version]) =>
    architectures.map((architecture) =>
      limit(async () => {
        context.signal.throwIfAborted();
        const artifacts = await source.artifacts({ component, architecture, version }, context);
        for (const artifact of artifacts) {
          onEvent?.({ kind: 'resolved', artifact });
        }
        return artifacts;
      }),
    ),
  );
  try {
    const artifacts = await Promise.all(queries);
    return {
      version: found.version,
      date: found.date,
      components: Object.fromEntries(versions),
      artifacts: artifacts.flat().sort(compareArtifacts),
    };
  } catch (error) {
    stop.abort(error);
    await Promise.allSettled(queries);
    throw error;
  }
}
