import type { Pins } from '../model/component.ts';
import { versionNumbers } from '../model/kubernetes-version.ts';
import { KubeparcelError } from '../support/errors.ts';
import type { Catalog } from './model.ts';
import { rangeAt } from './ranges.ts';
import { unmetByPins } from './unmet-relations.ts';

/**
 * The cri-tools and CNI plugins that go with a release of Kubernetes.
 *
 * @param version of Kubernetes, without `v`
 * @param overrides the user's own; they win, but must still satisfy what the packages of this release ask for
 * @throws KubeparcelError of kind 'config' for a minor that the data does not know (unless both are given) and for a
 * set of packages that could not be installed together
 */
export function pinsFor(catalog: Catalog, version: string, overrides: Partial<Pins> = {}): Pins {
  const pinned = rangeAt(catalog.pins, version);
  const criTools = overrides.criTools ?? pinned?.['cri-tools'];
  const cniPlugins = overrides.cniPlugins ?? pinned?.['cni-plugins'];
  if (criTools === undefined || cniPlugins === undefined) {
    throw new KubeparcelError('config', `no cri-tools and CNI plugins are pinned for Kubernetes ${version}`, {
      where: catalog.versionsFile,
      hint: 'add its minor there, or set components.criTools and components.cniPlugins in kubeparcel.yaml',
    });
  }
  const pins = { criTools, cniPlugins };
  const patch = versionNumbers(version);
  const only = { since: patch.join('.'), until: [patch[0], patch[1], patch[2] + 1].join('.') };
  const [problem] = unmetByPins(catalog.packages, only, pins);
  if (problem !== undefined) {
    throw new KubeparcelError('config', `Kubernetes ${version}: ${problem}`, {
      hint: 'choose a version that satisfies it: packages that do not could never be installed together',
    });
  }
  return pins;
}

/**
 * The day on which X.Y.0 of a release's minor came out, 00:00 UTC: the date for packages whose source knows none.
 *
 * @returns seconds since 1970-01-01 UTC
 * @throws KubeparcelError of kind 'config' for a minor that the data does not know
 */
export function releaseDate(catalog: Catalog, version: string): number {
  const [major, minor] = versionNumbers(version);
  const found = catalog.minors.find((each) => each.minor === `${major}.${minor}`);
  if (found === undefined) {
    throw new KubeparcelError('config', `the release date of Kubernetes ${version} is not known`, {
      where: catalog.versionsFile,
      hint: 'add its minor there, or set SOURCE_DATE_EPOCH',
    });
  }
  return Date.parse(`${found.released}T00:00:00Z`) / 1000;
}
