import compare from 'semver/functions/compare.js';
import type { Component, Pins } from '../model/component.ts';
import type { Operator } from '../model/relation.ts';
import type { PackageDefinition } from './package-schema.ts';
import type { Range } from './ranges.ts';
import { overlap } from './ranges.ts';

/** Describes the relations to cri-tools and kubernetes-cni, in a range of releases, that the pins do not satisfy. */
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
  const holds: Readonly<Record<Operator, boolean>> = {
    '<<': order < 0,
    '<=': order <= 0,
    '=': order === 0,
    '>=': order >= 0,
    '>>': order > 0,
  };
  return holds[required.operator];
}
