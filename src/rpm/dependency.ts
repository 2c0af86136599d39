import type { Operator, Relation, RelationTarget } from '../model/relation.ts';
import { KubeparcelError } from '../support/errors.ts';

/** Flags of a dependency (rpmds.h, "Dependency Attributes"; rpm --qf '%{REQUIREFLAGS}'). */
export const SENSE = {
  less: 1 << 1,
  greater: 1 << 2,
  equal: 1 << 3,
  postTrans: 1 << 5,
  legacyPreReq: 1 << 6,
  preTrans: 1 << 7,
  interpreter: 1 << 8,
  pre: 1 << 9,
  post: 1 << 10,
  preUn: 1 << 11,
  postUn: 1 << 12,
  verify: 1 << 13,
  preUnTrans: 1 << 20,
  postUnTrans: 1 << 21,
  rpmlib: 1 << 24,
  config: 1 << 28,
} as const;

/** A dependency in a header: a name, a version ('' for any) and flags. */
export interface Dependency {
  readonly name: string;
  readonly version: string;
  readonly flags: number;
}

const OPERATOR_FLAGS: Readonly<Record<Operator, number>> = {
  '<<': SENSE.less,
  '<=': SENSE.less | SENSE.equal,
  '=': SENSE.equal,
  '>=': SENSE.greater | SENSE.equal,
  '>>': SENSE.greater,
};
const COMPARISON = SENSE.less | SENSE.greater | SENSE.equal;

/** Encodes a target; `flags` are added to those of the comparison. */
export function targetDependency({ name, constraint }: RelationTarget, flags: number): Dependency {
  return constraint === undefined
    ? { name, version: '', flags }
    : { name, version: constraint.version, flags: flags | OPERATOR_FLAGS[constraint.operator] };
}

/**
 * Decodes the target of a dependency.
 *
 * @throws KubeparcelError of kind 'format' for invalid comparison flags
 */
export function dependencyTarget({ name, version, flags }: Dependency): RelationTarget {
  const comparison = flags & COMPARISON;
  if (version === '' || comparison === 0) {
    return { name };
  }
  const operator = operatorOf(comparison);
  if (operator === undefined) {
    throw new KubeparcelError('format', `the dependency on ${name} has invalid comparison flags`);
  }
  return { name, constraint: { operator, version } };
}

function operatorOf(comparison: number): Operator | undefined {
  return (Object.keys(OPERATOR_FLAGS) as Operator[]).find((operator) => OPERATOR_FLAGS[operator] === comparison);
}

/** `name >= 1`, as rpm prints it. */
export function formatTarget({ name, constraint }: RelationTarget): string {
  return constraint === undefined ? name : `${name} ${SIGNS[constraint.operator]} ${constraint.version}`;
}

const SIGNS: Readonly<Record<Operator, string>> = { '<<': '<', '<=': '<=', '=': '=', '>=': '>=', '>>': '>' };

/** The operator for rpm's sign: `<` is `<<`. */
export function operatorOfSign(sign: string): Operator | undefined {
  return (Object.keys(SIGNS) as Operator[]).find((operator) => SIGNS[operator] === sign);
}

/**
 * Sorts like rpmbuild (bytewise by name, version, flags) and removes duplicates. rpm uses binary search on some lists.
 */
export function sortDependencies(dependencies: readonly Dependency[]): Dependency[] {
  const sorted = [...dependencies].sort(
    (a, b) => compareBytes(a.name, b.name) || compareBytes(a.version, b.version) || a.flags - b.flags,
  );
  return sorted.filter((dependency, index) => {
    const previous = sorted[index - 1];
    return (
      previous === undefined ||
      previous.name !== dependency.name ||
      previous.version !== dependency.version ||
      previous.flags !== dependency.flags
    );
  });
}

function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** Flags for display: `>= pre`, `any`; unnamed bits as a number. */
export function formatSense(flags: number): string {
  const comparison = flags & COMPARISON;
  const operator = operatorOf(comparison);
  const words = operator === undefined ? [] : [SIGNS[operator]];
  let rest = operator === undefined ? flags : flags & ~comparison;
  for (const [name, bit] of Object.entries(SENSE)) {
    if ((rest & bit) !== 0 && bit > COMPARISON) {
      words.push(name);
      rest &= ~bit;
    }
  }
  return [...words, ...(rest === 0 ? [] : [String(rest >>> 0)])].join(' ') || 'any';
}

/**
 * Rich ("boolean") dependencies, rpm >= 4.13: an expression in parentheses in place of a name. Layouts represent only
 * alternatives, `(a or b >= 1)`. Any other expression is a target whose name is the text of the expression.
 */

export function isRich(name: string): boolean {
  return name.startsWith('(');
}

/** `(a or b >= 1)` */
export function formatAlternatives(targets: readonly RelationTarget[]): string {
  return `(${targets.map(formatTarget).join(' or ')})`;
}

/** Parses an expression into alternatives, or one target with the expression as its name. */
export function parseRich(expression: string): Relation {
  return { anyOf: parseAlternatives(expression) ?? [{ name: expression }] };
}

/** Undefined if the expression is not `(TARGET or TARGET ...)` with single spaces, as rpmbuild writes it. */
function parseAlternatives(expression: string): RelationTarget[] | undefined {
  const words = expression.slice(1, -1).split(' ');
  const targets: RelationTarget[] = [];
  for (let at = 0; at < words.length; ) {
    const [name, sign, version] = words.slice(at, at + 3);
    if (name === undefined || !isPlainName(name)) {
      return undefined;
    }
    const operator = sign === undefined ? undefined : operatorOfSign(sign);
    if (operator !== undefined && version !== undefined && isPlainName(version)) {
      targets.push({ name, constraint: { operator, version } });
      at += 3;
    } else {
      targets.push({ name });
      at += 1;
    }
    if (at < words.length && words[at++] !== 'or') {
      return undefined;
    }
  }
  // A single target in parentheses would be written without them.
  return targets.length > 1 && formatAlternatives(targets) === expression ? targets : undefined;
}

/** Whether rpm's parser reads this as one name or version: parentheses only inside the name and balanced. */
export function isPlainName(name: string): boolean {
  if (name === '' || /[\s,]/.test(name) || isRich(name)) {
    return false;
  }
  let depth = 0;
  for (const character of name) {
    depth += character === '(' ? 1 : character === ')' ? -1 : 0;
    if (depth < 0) {
      return false;
    }
  }
  return depth === 0;
}
