import { PLACES, type Place } from '../catalog/distribution.ts';
import { rangeAt } from '../catalog/ranges.ts';
import type { Target } from '../catalog/targets.ts';
import { KubeparcelError } from '../support/errors.ts';

export type Paths = Readonly<Record<Place, string>>;

/**
 * Where a target's distributions have the places that differ between them.
 *
 * @throws KubeparcelError of kind 'config' when they do not agree, since one package cannot serve them then
 */
export function targetPaths(target: Target, kubernetes: string): Paths {
  return Object.fromEntries(PLACES.map((place) => [place, agreedPath(target, place, kubernetes)])) as Record<
    Place,
    string
  >;
}

function agreedPath({ id, distributions }: Target, place: Place, kubernetes: string): string {
  const paths = distributions.map((distribution) => rangeAt(distribution.paths[place], kubernetes)?.path);
  const [path] = paths;
  const other = paths.findIndex((each) => each !== path);
  if (path === undefined || other !== -1) {
    throw new KubeparcelError('config', `the distributions of ${id} do not agree on the place of ${place}`, {
      where: `${distributions[0]?.id}: ${path}, ${distributions[other]?.id}: ${paths[other]}`,
      hint: 'make their paths in packaging/distributions the same, or set one of them apart',
    });
  }
  return path;
}

/** {units}/kubelet.service -> /usr/lib/systemd/system/kubelet.service; rules name no other places (see their schema). */
export function expandPath(path: string, paths: Paths): string {
  return PLACES.reduce((text, place) => text.replace(`{${place}}`, paths[place]), path);
}
