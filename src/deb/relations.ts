import type { Operator, Relation, RelationKind, RelationTarget } from '../model/relation.ts';
import { KubeparcelError } from '../support/errors.ts';

/** The fields of deb-control(5), in the order in which dpkg-gencontrol writes them. */
export const RELATION_FIELDS: readonly (readonly [field: string, kind: RelationKind])[] = [
  ['Pre-Depends', 'preDepends'],
  ['Depends', 'depends'],
  ['Recommends', 'recommends'],
  ['Suggests', 'suggests'],
  ['Enhances', 'enhances'],
  ['Conflicts', 'conflicts'],
  ['Breaks', 'breaks'],
  ['Replaces', 'replaces'],
  ['Provides', 'provides'],
];

/** `<` and `>` are what dpkg once had for `<=` and `>=`, and still reads so. */
const OPERATORS: Readonly<Record<string, Operator>> = {
  '<<': '<<',
  '<=': '<=',
  '=': '=',
  '>=': '>=',
  '>>': '>>',
  '<': '<=',
  '>': '>=',
};

/** A package's name, with the architecture it must have (`:any`) where one is asked for. */
export const RELATION_NAME = /^[A-Za-z0-9][A-Za-z0-9.+-]*(:[a-z0-9-]+)?$/;

/**
 * Reads a relation field: `a (>= 1), b | c`; deb-control(5), Debian policy 7.1.
 *
 * @throws KubeparcelError of kind 'format'
 */
export function parseRelations(field: string, value: string): Relation[] {
  return value
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map((part) => ({ anyOf: part.split('|').map((target) => parseTarget(field, target.trim())) }));
}

function parseTarget(field: string, text: string): RelationTarget {
  const match = /^([^\s()]+)(?:\s*\(\s*([<>=]{1,2})\s*([A-Za-z0-9.+~:-]+)\s*\))?$/.exec(text);
  const name = match?.[1] ?? '';
  const operator = match?.[2] === undefined ? undefined : OPERATORS[match[2]];
  const version = match?.[3];
  if (!RELATION_NAME.test(name) || (match?.[2] !== undefined && operator === undefined)) {
    throw new KubeparcelError('format', `${field} has ${JSON.stringify(text.slice(0, 100))}, which is not a relation`);
  }
  return operator === undefined || version === undefined ? { name } : { name, constraint: { operator, version } };
}
