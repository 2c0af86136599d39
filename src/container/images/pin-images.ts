import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pLimit from 'p-limit';
import { isMap, isScalar, isSeq, parseDocument } from 'yaml';
import { KubeparcelError } from '../../support/errors.ts';
import { packageRoot } from '../../support/package-root.ts';
import { writeAtomically } from '../../support/write-atomically.ts';
import { digestOfTag, type ImageName, parseImageName } from './registry.ts';

export interface Pin {
  readonly distribution: string;
  /** Without a digest. */
  readonly image: string;
  readonly before: string | undefined;
  readonly after: string;
  readonly file: string;
}

export interface PinOptions {
  /** Ids; all that have an image by default. */
  readonly distributions?: readonly string[];
  /** packaging/distributions of kubeparcel by default. */
  readonly directory?: string;
  /** Asks, and writes nothing. */
  readonly dryRun?: boolean;
  readonly signal?: AbortSignal;
}

/** Registries count requests. */
const AT_A_TIME = 4;

/**
 * Asks the registries which digests the tags of the vendors' images have, and writes these to
 * packaging/distributions/*.yaml. Files keep their comments and their form; nothing is written unless all answered.
 *
 * @returns in the order of files and of the releases in them
 * @throws KubeparcelError of kind 'usage' for a distribution that has no image, 'network' and 'verification' of a registry
 */
export async function pinImages(options: PinOptions = {}): Promise<Pin[]> {
  const directory = options.directory ?? join(packageRoot(), 'packaging', 'distributions');
  const names = (await readdir(directory)).filter((name) => name.endsWith('.yaml')).sort();
  const files = await Promise.all(
    names.map(async (name) => ({ path: join(directory, name), text: await readFile(join(directory, name), 'utf8') })),
  );
  const images = files.flatMap(({ path, text }) => imagesIn(text).map((image) => ({ path, ...image })));
  const wanted = options.distributions ?? images.map(({ id }) => id);
  const unknown = wanted.filter((id) => !images.some((image) => image.id === id));
  if (unknown.length > 0) {
    throw new KubeparcelError('usage', `no distribution with an image: ${unknown.join(', ')}`, {
      hint: `there are ${images.map(({ id }) => id).join(', ')}`,
    });
  }
  const limit = pLimit(AT_A_TIME);
  const pins = await Promise.all(
    images
      .filter(({ id }) => wanted.includes(id))
      .map(({ id, image, path }) =>
        limit(async (): Promise<Pin> => {
          const after = await digestOfTag(image, options.signal);
          const { registry, repository, tag, digest } = image;
          return { distribution: id, image: `${registry}/${repository}:${tag}`, before: digest, after, file: path };
        }),
      ),
  );
  for (const { path, text } of options.dryRun ? [] : files) {
    const pinned = withPins(
      text,
      pins.filter(({ file }) => file === path),
    );
    if (pinned !== text) await writeAtomically(path, [Buffer.from(pinned)]);
  }
  return pins;
}

interface FoundImage {
  readonly id: string;
  readonly image: ImageName;
  /** Where the value stands in the text. */
  readonly range: readonly [start: number, end: number];
}

/** The `image:` of each release of a file. */
function imagesIn(text: string): FoundImage[] {
  const releases = parseDocument(text).get('releases');
  if (!isSeq(releases)) return [];
  return releases.items.flatMap((release): FoundImage[] => {
    if (!isMap(release)) return [];
    const id = release.get('id');
    const image = release.get('image', true);
    if (!isScalar(image) || typeof image.value !== 'string' || !image.range) return [];
    return [{ id: String(id), image: parseImageName(image.value), range: [image.range[0], image.range[1]] }];
  });
}

/** Only the values change: the rest of the file stays as somebody wrote it, to the blank. */
function withPins(text: string, pins: readonly Pick<Pin, 'distribution' | 'image' | 'after'>[]): string {
  let pinned = text;
  for (const { id, range } of imagesIn(text).reverse()) {
    const pin = pins.find(({ distribution }) => distribution === id);
    if (pin === undefined) continue;
    pinned = `${pinned.slice(0, range[0])}${pin.image}@${pin.after}${pinned.slice(range[1])}`;
  }
  return pinned;
}
