import { compareDebVersions } from '../../deb/compare-versions.ts';
import type { Format, Operator, RelationTarget } from '../../layout/layout.ts';
import { compareEvr } from '../../rpm/compare-versions.ts';

/** What satisfies a relation: a package under its own name, or a name that a package or a distribution provides. */
export interface Provision {
  readonly name: string;
  /** In the format's spelling; undefined for a name provided without one. */
  readonly version: string | undefined;
  /** `=` but for an RPM's provide that says something else. */
  readonly operator?: Operator;
}

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
