import pLimit from 'p-limit';
import { ARCHITECTURES, type Architecture } from '../model/architecture.ts';
import { COMPONENTS, type Component, type Pins, versionOf } from '../model/component.ts';
import { compareArtifacts, type Release } from './release.ts';
import type { Source, SourceContext } from './source.ts';
import type { VersionRequest } from './version-request.ts';

export interface ResolveOptions extends SourceContext {
  readonly source: Source;
  /** Versions of what is released apart from Kubernetes, or how to learn them once Kubernetes' version is known. */
  readonly pins: Pins | ((version: string) => Pins);
  /** All by default. */
  readonly components?: readonly Component[] | undefined;
  readonly architectures?: readonly Architecture[] | undefined;
  /** Questions at a time; 8 by default. */
  readonly jobs?: number | undefined;
}

/**
 * Finds the version that a request means and the digest of each of its artifacts. No artifact is fetched.
 *
 * @throws KubeparcelError as Source.find and Source.artifacts do
 */
export async function resolveRelease(request: VersionRequest, options: ResolveOptions): Promise<Release> {
  const { source, signal, onEvent } = options;
  const components = [...new Set(options.components ?? COMPONENTS)].sort();
  const architectures = [...new Set(options.architectures ?? ARCHITECTURES)].sort();
  const found = await source.find(request, { signal, onEvent });
  onEvent?.({ kind: 'found', version: found.version, source: source.name });
  const pins = {
    ...(typeof options.pins === 'function' ? options.pins(found.version) : options.pins),
    ...found.pins,
  };
  const versions = components.map((component) => [component, versionOf(component, found.version, pins)] as const);
  const limit = pLimit(options.jobs ?? 8);
  // One failure ends the questions that are still to be asked; the first one is the answer.
  const stop = new AbortController();
  const context = { signal: signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]), onEvent };
  const questions = versions.flatMap(([component, version]) =>
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
    const artifacts = await Promise.all(questions);
    return {
      version: found.version,
      date: found.date,
      components: Object.fromEntries(versions),
      artifacts: artifacts.flat().sort(compareArtifacts),
    };
  } catch (error) {
    stop.abort(error);
    await Promise.allSettled(questions);
    throw error;
  }
}
