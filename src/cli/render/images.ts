import type { ImageInfo } from '../../container/engine.ts';
import type { HostImage } from '../../container/images/hosts.ts';
import type { Pin } from '../../container/images/pin-images.ts';
import type { ImageEvent } from '../../container/images/prepare-images.ts';
import { type ImageSource, imageReference, recipeDigest } from '../../container/images/recipe.ts';
import { plural } from '../../support/plural.ts';
import { humanSize, humanTime, table } from './table.ts';

/** The output of `kubeparcel images ls`. */
export function renderImages(hosts: readonly HostImage[], images: readonly ImageInfo[]): string {
  const rows = hosts.flatMap((host) =>
    (['local', 'vendor'] as const).flatMap((source) => {
      const digest = recipeDigest(host, source);
      if (digest === undefined) return [];
      const image = imageOf(host, source, images);
      return [
        [host.id, source, host.distribution, stateOf(image, digest), image === undefined ? '' : humanSize(image.size)],
      ];
    }),
  );
  return table(['Host', 'Image', 'Distribution', 'State', '>Size'], rows);
}

export function imageOf(host: HostImage, source: ImageSource, images: readonly ImageInfo[]): ImageInfo | undefined {
  const reference = imageReference(host, source);
  return images.find(({ references }) => references.includes(reference));
}

function stateOf(image: ImageInfo | undefined, digest: string): string {
  if (image === undefined) return 'missing';
  return image.labels.recipe === digest ? 'ready' : 'outdated';
}

/** The line for an event; undefined for steps, which are shown only on a terminal. */
function imageLine(event: ImageEvent): string | undefined {
  switch (event.kind) {
    case 'image-found':
      return `ready       ${event.host} (${event.source})`;
    case 'image-making':
      return `building    ${event.host} (${event.source})`;
    case 'image-made':
      return `built       ${event.host} (${event.source}), ${humanTime(event.milliseconds / 1000)}`;
    case 'image-instead':
      return `local       ${event.host}: ${event.reason}`;
    default:
      return undefined;
  }
}

export interface ImageProgress {
  readonly onEvent: (event: ImageEvent) => void;
  stop(): void;
}

/** JSON lines on standard output, or lines on standard error; on a terminal, the last line shows the current steps. */
export function imageProgress(options: { readonly json: boolean }): ImageProgress {
  if (options.json) {
    const onEvent = ({ kind, ...fields }: ImageEvent) =>
      process.stdout.write(`${JSON.stringify({ event: kind, ...fields })}\n`);
    return { onEvent, stop: () => {} };
  }
  const isLive = process.stderr.isTTY && process.env.TERM !== 'dumb';
  const steps = new Map<string, string>();
  const clear = () => {
    if (isLive) process.stderr.write('\r\u001b[K');
  };
  return {
    onEvent: (event) => {
      if (event.kind === 'image-step') steps.set(event.host, event.step);
      if (event.kind === 'image-made') steps.delete(event.host);
      const line = imageLine(event);
      clear();
      if (line !== undefined) process.stderr.write(`${line}\n`);
      if (!isLive) return;
      const status = [...steps].map(([host, step]) => `${host}: ${step}`).join(' | ');
      process.stderr.write(status.slice(0, (process.stderr.columns ?? 80) - 1));
    },
    stop: clear,
  };
}

export function renderPins(pins: readonly Pin[], dryRun: boolean): string {
  const rows = pins.map(({ distribution, image, before, after }) => [
    distribution,
    image,
    after.slice(0, 'sha256:'.length + 12),
    before === after ? 'unchanged' : before === undefined ? 'new' : 'changed',
  ]);
  const files = new Set(pins.filter(({ before, after }) => before !== after).map(({ file }) => file)).size;
  const summary = `${plural(files, 'file')} in packaging/distributions ${dryRun ? 'would change' : 'changed'}`;
  return `${table(['Distribution', 'Image', 'Digest', 'State'], rows)}\n\n${summary}`;
}
