import pLimit from 'p-limit';
import { KubeparcelError } from '../../support/errors.ts';
import type { Engine } from '../engine.ts';
import type { HostImage } from './hosts.ts';
import { makeLocalImage } from './make-local.ts';
import { prepareContainer } from './prepare-container.ts';
import { type ImageSource, imageReference, recipeDigest } from './recipe.ts';
import { registryAnswers, registryOf } from './registry.ts';

export const IMAGE_CHOICES = ['auto', 'vendor', 'local'] as const;
/** auto: the vendor's where a registry answers, else the one that is made here. */
export type ImageChoice = (typeof IMAGE_CHOICES)[number];

export interface PreparedImage {
  readonly host: HostImage;
  readonly source: ImageSource;
  /** What `start` takes: localhost/kubeparcel/debian-12:local */
  readonly image: string;
}

/** What happens while images are made ready. */
export type ImageEvent =
  /** It is here already, made by the same recipe. */
  | { readonly kind: 'image-found'; readonly host: string; readonly source: ImageSource }
  | { readonly kind: 'image-making'; readonly host: string; readonly source: ImageSource }
  | { readonly kind: 'image-step'; readonly host: string; readonly step: string }
  | { readonly kind: 'image-made'; readonly host: string; readonly source: ImageSource; readonly milliseconds: number }
  /** Why it is not the vendor's. */
  | { readonly kind: 'image-instead'; readonly host: string; readonly reason: string };

export interface PrepareOptions {
  readonly images: ImageChoice;
  readonly onEvent?: (event: ImageEvent) => void;
  readonly signal?: AbortSignal;
}

/** mmdebstrap and package managers each keep a core busy. */
const AT_A_TIME = 2;

/**
 * Makes images ready that are not: two at a time, each only where there is none of the same recipe.
 *
 * @returns in the order of the hosts
 * @throws KubeparcelError of kind 'usage' for a host that has no image of this choice; 'network', 'io' when one cannot
 * be made
 */
export async function prepareImages(
  engine: Engine,
  hosts: readonly HostImage[],
  options: PrepareOptions,
): Promise<PreparedImage[]> {
  const limit = pLimit(AT_A_TIME);
  const failed = new AbortController();
  const signal = AbortSignal.any([failed.signal, ...(options.signal === undefined ? [] : [options.signal])]);
  const answers = new Map<string, Promise<boolean>>();
  const answer = (registry: string) => {
    const known = answers.get(registry) ?? registryAnswers(registry);
    answers.set(registry, known);
    return known;
  };
  const preparing = hosts.map((host) =>
    limit(async () => {
      signal.throwIfAborted();
      return await prepareImage(engine, host, { ...options, signal, answer });
    }).catch((error: unknown) => {
      // The others need not go on; their own errors then are of the abort.
      failed.abort(error);
      throw error;
    }),
  );
  await Promise.allSettled(preparing);
  options.signal?.throwIfAborted();
  failed.signal.throwIfAborted();
  return await Promise.all(preparing);
}

interface OneOptions extends PrepareOptions {
  readonly signal: AbortSignal;
  readonly answer: (registry: string) => Promise<boolean>;
}

async function prepareImage(engine: Engine, host: HostImage, options: OneOptions): Promise<PreparedImage> {
  const { images, onEvent = () => {}, answer } = options;
  const { vendor, local } = host;
  if (images !== 'local' && vendor !== undefined) {
    if (await isReady(engine, host, 'vendor')) return found(host, 'vendor', onEvent);
    const registry = registryOf(vendor.image);
    if (images === 'vendor' || (await answer(registry))) return await make(engine, host, 'vendor', options);
    if (local !== undefined) onEvent({ kind: 'image-instead', host: host.id, reason: `${registry} does not answer` });
  }
  if (images === 'vendor' || local === undefined) {
    throw new KubeparcelError('usage', noImage(host, images), {
      where: host.id,
      hint: 'kubeparcel images ls shows which hosts there are, and of which images',
    });
  }
  return (await isReady(engine, host, 'local'))
    ? found(host, 'local', onEvent)
    : await make(engine, host, 'local', options);
}

function noImage({ vendor, local }: HostImage, images: ImageChoice): string {
  if (images === 'vendor') return 'no vendor has an image of this host; it is made here';
  if (images === 'local' || vendor === undefined)
    return "this host is the vendor's image only, and cannot be made here";
  return `${registryOf(vendor.image)} does not answer, and this host ${local === undefined ? 'cannot be made here' : ''}`.trim();
}

/** Whether the image is on this machine, made by the recipe as it is now. */
async function isReady(engine: Engine, host: HostImage, source: ImageSource): Promise<boolean> {
  const reference = imageReference(host, source);
  const images = await engine.listImages();
  const image = images.find(({ references }) => references.includes(reference));
  return image !== undefined && image.labels.recipe === recipeDigest(host, source);
}

function found(host: HostImage, source: ImageSource, onEvent: (event: ImageEvent) => void): PreparedImage {
  onEvent({ kind: 'image-found', host: host.id, source });
  return { host, source, image: imageReference(host, source) };
}

async function make(engine: Engine, host: HostImage, source: ImageSource, options: OneOptions): Promise<PreparedImage> {
  const { onEvent = () => {}, signal } = options;
  const started = performance.now();
  onEvent({ kind: 'image-making', host: host.id, source });
  const making = {
    labels: { host: host.id, source, recipe: recipeDigest(host, source) ?? '' },
    onStep: (step: string) => onEvent({ kind: 'image-step', host: host.id, step }),
    signal,
  };
  if (source === 'local' && host.local !== undefined) await makeLocalImage(engine, host, host.local, making);
  if (source === 'vendor' && host.vendor !== undefined) {
    const { image, environment, commands } = host.vendor;
    await engine.pullImage(image, signal);
    const preparation = { ...making, network: 'host', environment, commands } as const;
    await prepareContainer(engine, image, imageReference(host, source), preparation);
  }
  await forgetFormer(engine, host);
  onEvent({ kind: 'image-made', host: host.id, source, milliseconds: Math.round(performance.now() - started) });
  return { host, source, image: imageReference(host, source) };
}

/** Images that lost their name to this one; those that a container still needs stay. */
async function forgetFormer(engine: Engine, host: HostImage): Promise<void> {
  for (const { id, references, labels } of await engine.listImages()) {
    if (references.length === 0 && labels.host === host.id) await engine.removeImage(id).catch(() => {});
  }
}
