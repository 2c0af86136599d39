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
  /** Ids; by default all that have an image. */
  readonly distributions?: readonly string[] | undefined;
  /** Default: packaging/distributions of kubeparcel. */
  readonly directory?: string | undefined;
  /** Queries the registries, but writes nothing. */
  readonly dryRun?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Registries limit request rates. */
const CONCURRENCY = 4;

/**
 * Queries the digests of the vendor images' tags and writes them to packaging/distributions/*.yaml. Comments and
 * formatting do not change. Nothing is written if a registry fails.
 *
 * @returns pins in the order of the files and of their releases
 * @throws KubeparcelError of kind 'usage' for a distribution without an image; 'network' and 'verification' for a registry
 */
export async function pinImages(options: PinOptions = {}): Promise<Pin[]> {
  const directory = options.directory ?? join(packageRoot(), 'packaging', 'distributions');
  const names = (await readdir(directory)).filter((name) => name.endsWith('.yaml')).sort();
  const files = await Promise.all(
    names.map(async (name) => ({ path: join(directory, name), text: await readFile(join(directory, name), 'utf8') })),
  );
  const images = files.flatMap(({ path, text }) => imagesIn(text).map((image) => ({ path, ...image })));
  const selected = options.distributions ?? images.map(({ id }) => id);
  const unknown = selected.filter((id) => !images.some((image) => image.id === id));
  if (unknown.length > 0) {
    throw new KubeparcelError('usage', `no image for ${unknown.join(', ')}`, {
      hint: `distributions with an image: ${images.map(({ id }) => id).join(', ')}`,
    });
  }
  const limit = pLimit(CONCURRENCY);
  const pins = await Promise.all(
    images
      .filter(({ id }) => selected.includes(id))
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

interface ImageEntry {
  readonly id: string;
  readonly image: ImageName;
  /** Position of the value in the text. */
  readonly range: readonly [start: number, end: number];
}

/** Finds the `image` of each release in a file. */
function imagesIn(text: string): ImageEntry[] {
  const releases = parseDocument(text).get('releases');
  if (!isSeq(releases)) return [];
  return releases.items.flatMap((release): ImageEntry[] => {
    if (!isMap(release)) return [];
    const id = release.get('id');
    const image = release.get('image', true);
    if (!isScalar(image) || typeof image.value !== 'string' || !image.range) return [];
    return [{ id: String(id), image: parseImageName(image.value), range: [image.range[0], image.range[1]] }];
  });
}

/** Replaces the values in place, so that the rest of the file stays byte for byte. */
function withPins(text: string, pins: readonly Pick<Pin, 'distribution' | 'image' | 'after'>[]): string {
  let pinned = text;
  for (const { id, range } of imagesIn(text).reverse()) {
    const pin = pins.find(({ distribution }) => distribution === id);
    if (pin === undefined) continue;
    pinned = `${pinned.slice(0, range[0])}${pin.image}@${pin.after}${pinned.slice(range[1])}`;
  }
  return pinned;
}
