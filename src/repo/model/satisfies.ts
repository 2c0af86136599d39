import { compareDebVersions } from '../../deb/compare-versions.ts';
import type { Format } from '../../model/format.ts';
import type { Operator, RelationTarget } from '../../model/relation.ts';
import { compareEvr } from '../../rpm/compare-versions.ts';
import type { Provision } from './record.ts';

/**
 * Whether a provision of the wanted name is of a wanted version.
 *
 * DEB: a versioned relation is never satisfied by a name provided without version (deb-control(5), Provides). RPM: a
 * side that states no version matches every version, and two ranges match where they overlap (rpmds.c, rpmdsCompareEVR).
 */
export function satisfies(format: Format, { constraint }: RelationTarget, provision: Provision): boolean {
  if (constraint === undefined) return true;
  const { version, operator = '=' } = provision;
  if (version === undefined) return format === 'rpm';
  const order =
    format === 'deb' ? compareDebVersions(version, constraint.version) : compareEvr(version, constraint.version);
  return overlap(operator, constraint.operator, order);
}

/** Whether `x OP a` and `x OP b` have a version in common, `order` being that of a to b. */
function overlap(left: Operator, right: Operator, order: number): boolean {
  if (order < 0) return goesUp(left) || goesDown(right);
  if (order > 0) return goesDown(left) || goesUp(right);
  return (holdsEnd(left) && holdsEnd(right)) || (goesUp(left) && goesUp(right)) || (goesDown(left) && goesDown(right));
}

const goesUp = (operator: Operator): boolean => operator === '>>' || operator === '>=';
const goesDown = (operator: Operator): boolean => operator === '<<' || operator === '<=';
const holdsEnd = (operator: Operator): boolean => operator === '=' || operator === '>=' || operator === '<=';
