import { createHash } from 'node:crypto';
import type { HostImage } from './hosts.ts';

/** Grows when images of the same recipe are made in another way. */
const REVISION = 1;

export type ImageSource = 'vendor' | 'local';

/** The name under which an image is kept: localhost/kubeparcel/debian-12:local */
export function imageReference(host: Pick<HostImage, 'id'>, source: ImageSource): string {
  return `localhost/kubeparcel/${host.id}:${source}`;
}

/**
 * What identifies a recipe: 64 hex digits that differ when anything in it does. Undefined where the host has none of
 * this source.
 */
export function recipeDigest(host: HostImage, source: ImageSource): string | undefined {
  const recipe = host[source];
  if (recipe === undefined) return undefined;
  return createHash('sha256')
    .update(JSON.stringify([REVISION, source, canonical(recipe)]))
    .digest('hex');
}

/** Objects as sorted pairs, so that the order of keys in a file does not matter. */
function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== 'object' || value === null) return value;
  return Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, item]) => [key, canonical(item)]);
}
