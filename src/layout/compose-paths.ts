import { PLACES, type Place } from '../catalog/distribution.ts';
import { rangeAt } from '../catalog/ranges.ts';
import type { Target } from '../catalog/targets.ts';
import { KubeparcelError } from '../support/errors.ts';

export type Paths = Readonly<Record<Place, string>>;

/**
 * Resolves the directories that differ between distributions (PLACES) for a target.
 *
 * @throws KubeparcelError of kind 'config' if the target's distributions have different paths: one package cannot fit
 */
export function targetPaths(target: Target, kubernetes: string): Paths {
  return Object.fromEntries(PLACES.map((place) => [place, commonPath(target, place, kubernetes)])) as Record<
    Place,
    string
  >;
}

function commonPath({ id, distributions }: Target, place: Place, kubernetes: string): string {
  const paths = distributions.map((distribution) => rangeAt(distribution.paths[place], kubernetes)?.path);
  const [path] = paths;
  const other = paths.findIndex((each) => each !== path);
  if (path === undefined || other !== -1) {
    throw new KubeparcelError('config', `the distributions of ${id} have different paths for ${place}`, {
      where: `${distributions[0]?.id}: ${path}, ${distributions[other]?.id}: ${paths[other]}`,
      hint: 'use the same path in packaging/distributions, or build one package per distribution',
    });
  }
  return path;
}

/** {units}/kubelet.service -> /usr/lib/systemd/system/kubelet.service. The schema allows only names of PLACES. */
export function expandPath(path: string, paths: Paths): string {
  return PLACES.reduce((text, place) => text.replace(`{${place}}`, paths[place]), path);
}
