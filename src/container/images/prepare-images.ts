import pLimit from 'p-limit';
import { KubeparcelError } from '../../support/errors.ts';
import type { Engine } from '../engine.ts';
import { buildLocalImage } from './build-local.ts';
import type { HostImage } from './hosts.ts';
import { prepareContainer } from './prepare-container.ts';
import { type ImageSource, imageReference, recipeDigest } from './recipe.ts';
import { registryAnswers, registryOf } from './registry.ts';

export const IMAGE_CHOICES = ['auto', 'vendor', 'local'] as const;
/** auto: the vendor's image if its registry answers, else one built here. */
export type ImageChoice = (typeof IMAGE_CHOICES)[number];

export interface PreparedImage {
  readonly host: HostImage;
  readonly source: ImageSource;
  /** Reference for `Engine.start`: localhost/kubeparcel/debian-12:local */
  readonly image: string;
}

/** Progress of prepareImages. */
export type ImageEvent =
  /** An image of the same recipe exists on this machine. */
  | { readonly kind: 'image-found'; readonly host: string; readonly source: ImageSource }
  | { readonly kind: 'image-making'; readonly host: string; readonly source: ImageSource }
  | { readonly kind: 'image-step'; readonly host: string; readonly step: string }
  | { readonly kind: 'image-made'; readonly host: string; readonly source: ImageSource; readonly milliseconds: number }
  /** A locally built image replaces the vendor's. */
  | { readonly kind: 'image-instead'; readonly host: string; readonly reason: string };

export interface PrepareOptions {
  readonly images: ImageChoice;
  readonly onEvent?: ((event: ImageEvent) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** mmdebstrap and package managers use one core each. */
const CONCURRENCY = 2;

/**
 * Builds or pulls the images of hosts, except those that exist with the same recipe.
 *
 * @returns images in the order of the hosts
 * @throws KubeparcelError of kind 'usage' for a host without an image of this choice; 'network' or 'io' if a build fails
 */
export async function prepareImages(
  engine: Engine,
  hosts: readonly HostImage[],
  options: PrepareOptions,
): Promise<PreparedImage[]> {
  const limit = pLimit(CONCURRENCY);
  const failed = new AbortController();
  const signal = AbortSignal.any([failed.signal, ...(options.signal === undefined ? [] : [options.signal])]);
  const answers = new Map<string, Promise<boolean>>();
  const isReachable = (registry: string) => {
    const answer = answers.get(registry) ?? registryAnswers(registry);
    answers.set(registry, answer);
    return answer;
  };
  const preparing = hosts.map((host) =>
    limit(async () => {
      signal.throwIfAborted();
      return await prepareImage(engine, host, { ...options, signal, isReachable });
    }).catch((error: unknown) => {
      // Stops the other builds, which then fail with this error.
      failed.abort(error);
      throw error;
    }),
  );
  await Promise.allSettled(preparing);
  options.signal?.throwIfAborted();
  failed.signal.throwIfAborted();
  return await Promise.all(preparing);
}

interface ImageOptions extends PrepareOptions {
  readonly signal: AbortSignal;
  readonly isReachable: (registry: string) => Promise<boolean>;
}

async function prepareImage(engine: Engine, host: HostImage, options: ImageOptions): Promise<PreparedImage> {
  const { images, onEvent = () => {}, isReachable } = options;
  const { vendor, local } = host;
  if (images !== 'local' && vendor !== undefined) {
    if (await isReady(engine, host, 'vendor')) return useExisting(host, 'vendor', onEvent);
    const registry = registryOf(vendor.image);
    if (images === 'vendor' || (await isReachable(registry))) return await build(engine, host, 'vendor', options);
    if (local !== undefined) onEvent({ kind: 'image-instead', host: host.id, reason: `${registry} does not answer` });
  }
  if (images === 'vendor' || local === undefined) {
    throw new KubeparcelError('usage', noImage(host, images), {
      where: host.id,
      hint: 'kubeparcel images ls lists the hosts and their images',
    });
  }
  return (await isReady(engine, host, 'local'))
    ? useExisting(host, 'local', onEvent)
    : await build(engine, host, 'local', options);
}

function noImage({ vendor }: HostImage, images: ImageChoice): string {
  if (images === 'vendor') return 'this host has no vendor image; it is built locally';
  if (images === 'local' || vendor === undefined)
    return 'this host has only a vendor image and cannot be built locally';
  return `${registryOf(vendor.image)} does not answer, and this host cannot be built locally`;
}

/** Whether an image of the current recipe is on this machine. */
async function isReady(engine: Engine, host: HostImage, source: ImageSource): Promise<boolean> {
  const reference = imageReference(host, source);
  const images = await engine.listImages();
  const image = images.find(({ references }) => references.includes(reference));
  return image !== undefined && image.labels.recipe === recipeDigest(host, source);
}

function useExisting(host: HostImage, source: ImageSource, onEvent: (event: ImageEvent) => void): PreparedImage {
  onEvent({ kind: 'image-found', host: host.id, source });
  return { host, source, image: imageReference(host, source) };
}

async function build(
  engine: Engine,
  host: HostImage,
  source: ImageSource,
  options: ImageOptions,
): Promise<PreparedImage> {
  const { onEvent = () => {}, signal } = options;
  const started = performance.now();
  onEvent({ kind: 'image-making', host: host.id, source });
  const buildOptions = {
    labels: { host: host.id, source, recipe: recipeDigest(host, source) ?? '' },
    onStep: (step: string) => onEvent({ kind: 'image-step', host: host.id, step }),
    signal,
  };
  if (source === 'local' && host.local !== undefined) await buildLocalImage(engine, host, host.local, buildOptions);
  if (source === 'vendor' && host.vendor !== undefined) {
    const { image, environment, commands } = host.vendor;
    await engine.pullImage(image, signal);
    const preparation = { ...buildOptions, network: 'host', environment, commands } as const;
    await prepareContainer(engine, image, imageReference(host, source), preparation);
  }
  await removeUntagged(engine, host);
  onEvent({ kind: 'image-made', host: host.id, source, milliseconds: Math.round(performance.now() - started) });
  return { host, source, image: imageReference(host, source) };
}

/** Removes earlier images of a host, which are untagged after a new build, unless a container uses them. */
async function removeUntagged(engine: Engine, host: HostImage): Promise<void> {
  for (const { id, references, labels } of await engine.listImages()) {
    if (references.length === 0 && labels.host === host.id) await engine.removeImage(id).catch(() => {});
  }
}
