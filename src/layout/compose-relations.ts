import type { Distribution } from '../catalog/distribution.ts';
import type { PackageDefinition, RelationRange, RelationRule } from '../catalog/package-schema.ts';
import { rangeAt } from '../catalog/ranges.ts';
import type { Target } from '../catalog/targets.ts';
import type { PayloadFile } from '../model/payload.ts';
import { RELATION_KINDS, type Relation, type RelationKind, type RelationTarget } from '../model/relation.ts';
import { libraryRelations } from './compose-libraries.ts';

type Relations = Record<RelationKind, Relation[]>;

/** What a package of this release asks of others, in the words of the target's distributions. */
export function composeRelations(
  definition: PackageDefinition,
  target: Target,
  kubernetes: string,
  files: readonly PayloadFile[],
): Relations {
  const relations = Object.fromEntries(RELATION_KINDS.map((kind) => [kind, []])) as unknown as Relations;
  for (const rule of definition.relations) {
    const range = rangeAt(rule.ranges, kubernetes);
    if (range !== undefined && !range.absent && rule.formats.includes(target.format)) {
      addRule(relations, rule, range, target.distributions);
    }
  }
  relations.depends.push(...libraryRelations(definition, target, files));
  return relations;
}

/** Kinds whose targets stand for each other: any of them will do. */
const CHOICES: ReadonlySet<RelationKind> = new Set(['preDepends', 'depends', 'recommends', 'suggests']);

function addRule(
  relations: Relations,
  { kind, name }: RelationRule,
  { constraint }: RelationRange,
  distributions: readonly Distribution[],
): void {
  const names = distributions.map((distribution) => distribution.names[name] ?? [name]);
  const targets = [...new Set(names.flat())].map(
    (each): RelationTarget => (constraint === undefined ? { name: each } : { name: each, constraint }),
  );
  if (targets.length === 0) return;
  if (CHOICES.has(kind)) {
    // One package for distributions of which some have nothing by this name can only wish for it.
    const some = names.some((each) => each.length === 0);
    relations[some && kind !== 'suggests' ? 'recommends' : kind].push({ anyOf: targets });
  } else {
    relations[kind].push(...targets.map((each) => ({ anyOf: [each] })));
  }
}
