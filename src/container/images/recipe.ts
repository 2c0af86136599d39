import { createHash } from 'node:crypto';
import type { HostImage } from './hosts.ts';

/** Increase when the build of images changes, so that existing images are rebuilt. */
const REVISION = 1;

export type ImageSource = 'vendor' | 'local';

/** The name of a host's image: localhost/kubeparcel/debian-12:local */
export function imageReference(host: Pick<HostImage, 'id'>, source: ImageSource): string {
  return `localhost/kubeparcel/${host.id}:${source}`;
}

/** SHA-256 of a recipe in hex; undefined if the host has no recipe for this source. */
export function recipeDigest(host: HostImage, source: ImageSource): string | undefined {
  const recipe = host[source];
  if (recipe === undefined) return undefined;
  return createHash('sha256')
    .update(JSON.stringify([REVISION, source, canonical(recipe)]))
    .digest('hex');
}

/** Objects as sorted pairs, so that the digest does not depend on the order of keys. */
function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== 'object' || value === null) return value;
  return Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, item]) => [key, canonical(item)]);
}
