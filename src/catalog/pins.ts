import compare from 'semver/functions/compare.js';
import type { Component, Pins } from '../model/component.ts';
import { versionNumbers } from '../model/kubernetes-version.ts';
import type { Operator } from '../model/relation.ts';
import { KubeparcelError } from '../support/errors.ts';
import type { Catalog } from './model.ts';
import type { PackageDefinition } from './package-schema.ts';
import { overlap, type Range, rangeAt } from './ranges.ts';

/**
 * Returns the versions of cri-tools and CNI plugins for a release of Kubernetes.
 *
 * @param version version of Kubernetes, without `v`
 * @param overrides versions that the user sets; they must satisfy the relations of the packages
 * @throws KubeparcelError of kind 'config' for an unknown minor (unless both versions are overridden), and if the
 * packages could not be installed together
 */
export function pinsFor(catalog: Catalog, version: string, overrides: Partial<Pins> = {}): Pins {
  const pinned = rangeAt(catalog.pins, version);
  const criTools = overrides.criTools ?? pinned?.['cri-tools'];
  const cniPlugins = overrides.cniPlugins ?? pinned?.['cni-plugins'];
  if (criTools === undefined || cniPlugins === undefined) {
    throw new KubeparcelError('config', `no pinned cri-tools and CNI plugins for Kubernetes ${version}`, {
      where: catalog.versionsFile,
      hint: 'add the minor to this file, or set components.criTools and components.cniPlugins in kubeparcel.yaml',
    });
  }
  const pins = { criTools, cniPlugins };
  const patch = versionNumbers(version);
  const thisRelease = { since: patch.join('.'), until: [patch[0], patch[1], patch[2] + 1].join('.') };
  const [problem] = unmetRelations(catalog.packages, thisRelease, pins);
  if (problem !== undefined) {
    throw new KubeparcelError('config', `Kubernetes ${version}: ${problem}`, {
      hint: 'choose a version that satisfies the relation; otherwise the packages cannot be installed together',
    });
  }
  return pins;
}

/**
 * The release date of X.Y.0, 00:00 UTC, used as the date of packages if their source has no date.
 *
 * @returns seconds since 1970-01-01 UTC
 * @throws KubeparcelError of kind 'config' for an unknown minor
 */
export function releaseDate(catalog: Catalog, version: string): number {
  const [major, minor] = versionNumbers(version);
  const found = catalog.minors.find((each) => each.minor === `${major}.${minor}`);
  if (found === undefined) {
    throw new KubeparcelError('config', `unknown release date of Kubernetes ${version}`, {
      where: catalog.versionsFile,
      hint: 'add the minor to this file, or set SOURCE_DATE_EPOCH',
    });
  }
  return Date.parse(`${found.released}T00:00:00Z`) / 1000;
}

/** Describes each relation to cri-tools or kubernetes-cni in a range of releases that the pins do not satisfy. */
export function unmetRelations(packages: readonly PackageDefinition[], range: Range, pins: Pins): string[] {
  const versions: Readonly<Partial<Record<Component, string>>> = {
    crictl: pins.criTools,
    'cni-plugins': pins.cniPlugins,
  };
  return packages.flatMap((definition) =>
    definition.relations
      .filter(({ kind }) => kind === 'depends' || kind === 'preDepends')
      .flatMap(({ name, ranges }) => {
        const component = packages.find((each) => each.name === name)?.component;
        const version = component === undefined ? undefined : versions[component];
        return ranges
          .filter((each) => !each.absent && overlap(each, range))
          .flatMap(({ constraint }) =>
            version === undefined || constraint === undefined || satisfies(version, constraint)
              ? []
              : [
                  `${definition.name} needs ${name} ${constraint.operator} ${constraint.version}, but the pin is ${version}`,
                ],
          );
      }),
  );
}

function satisfies(version: string, required: { readonly operator: Operator; readonly version: string }): boolean {
  const order = compare(version, required.version);
  return (order === 0 ? /=$/ : order < 0 ? /^</ : /^>/).test(required.operator);
}
