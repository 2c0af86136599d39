import { compareDebVersions } from '../../deb/version.ts';
import type { Format } from '../../model/format.ts';
import type { Operator, RelationTarget } from '../../model/relation.ts';
import { operatorOfSign } from '../../rpm/dependency.ts';
import { compareEvr } from '../../rpm/version.ts';
import { KubeparcelError } from '../../support/errors.ts';
import type { Provision } from '../model/record.ts';

/**
 * Whether a provision of the required name has a version that satisfies the relation.
 *
 * DEB: an unversioned Provides never satisfies a versioned relation (deb-control(5), Provides). RPM: no version on either
 * side matches every version, and two ranges match if they overlap (rpmds.c, rpmdsCompareEVR).
 */
export function satisfies(format: Format, { constraint }: RelationTarget, provision: Provision): boolean {
  if (constraint === undefined) return true;
  const { version, operator = '=' } = provision;
  if (version === undefined) return format === 'rpm';
  const order =
    format === 'deb' ? compareDebVersions(version, constraint.version) : compareEvr(version, constraint.version);
  return overlap(operator, constraint.operator, order);
}

/** Whether `x OP a` and `x OP b` have a version in common; `order` compares a with b. */
function overlap(left: Operator, right: Operator, order: number): boolean {
  if (order < 0) return isLowerBound(left) || isUpperBound(right);
  if (order > 0) return isUpperBound(left) || isLowerBound(right);
  return (
    (includesEnd(left) && includesEnd(right)) ||
    (isLowerBound(left) && isLowerBound(right)) ||
    (isUpperBound(left) && isUpperBound(right))
  );
}

const isLowerBound = (operator: Operator): boolean => operator === '>>' || operator === '>=';
const isUpperBound = (operator: Operator): boolean => operator === '<<' || operator === '<=';
const includesEnd = (operator: Operator): boolean => operator === '=' || operator === '>=' || operator === '<=';

/** Limits the recursion of the parser. */
const MAX_DEPTH = 32;

const OPERATORS = ['or', 'and', 'if', 'unless', 'with', 'without', 'else'];

type Token = '(' | ')' | { readonly word: string };

/**
 * Whether a rich dependency of an RPM can be satisfied (rpm manual, "Boolean dependencies") by the available packages,
 * not by the installed ones: `(a if b)` holds if a is available or b is not, `(a unless b)` if either is available,
 * `(a with b)` if both are, `(a without b)` if a is.
 *
 * @param expression including its parentheses: `(a or b >= 1)`
 * @param resolves whether a single target is available
 * @throws KubeparcelError of kind 'format' if rpm would not parse the expression
 */
export function richHolds(expression: string, resolves: (target: RelationTarget) => boolean): boolean {
  const tokens = tokenize(expression);
  let at = 0;

  function group(depth: number): boolean {
    if (depth > MAX_DEPTH || tokens[at] !== '(') throw invalid(expression);
    at += 1;
    const values = [operand(depth)];
    const operators: string[] = [];
    for (let operator = nextOperator(); operator !== undefined; operator = nextOperator()) {
      operators.push(operator);
      values.push(operand(depth));
    }
    if (tokens[at] !== ')') throw invalid(expression);
    at += 1;
    return combine(expression, values, operators);
  }

  function operand(depth: number): boolean {
    if (tokens[at] === '(') return group(depth + 1);
    const name = nextWord();
    if (name === undefined || OPERATORS.includes(name)) throw invalid(expression);
    const operator = operatorOfSign(peekWord() ?? '');
    if (operator === undefined) return resolves({ name });
    at += 1;
    const version = nextWord();
    if (version === undefined) throw invalid(expression);
    return resolves({ name, constraint: { operator, version } });
  }

  function peekWord(): string | undefined {
    const token = tokens[at];
    return typeof token === 'object' ? token.word : undefined;
  }

  function nextWord(): string | undefined {
    const word = peekWord();
    if (word !== undefined) at += 1;
    return word;
  }

  function nextOperator(): string | undefined {
    const word = peekWord();
    if (word === undefined || !OPERATORS.includes(word)) return undefined;
    at += 1;
    return word;
  }

  const holds = group(1);
  if (at !== tokens.length) throw invalid(expression);
  return holds;
}

/** Only `or`, `and` and `with` can be chained. `else` follows `if` or `unless`. */
function combine(expression: string, values: readonly boolean[], operators: readonly string[]): boolean {
  const [first = false, second = false, third = false] = values;
  const [operator, other] = operators;
  if (operator === undefined) return first;
  if (other === 'else' && operators.length === 2) {
    if (operator === 'if') return second ? first : third;
    if (operator === 'unless') return second ? third : first;
  }
  if (operators.some((each) => each !== operator)) throw invalid(expression);
  switch (operator) {
    case 'or':
      return values.some(Boolean);
    case 'and':
    case 'with':
      return values.every(Boolean);
    case 'if':
      if (values.length === 2) return first || !second;
      break;
    case 'unless':
      if (values.length === 2) return first || second;
      break;
    case 'without':
      if (values.length === 2) return first;
      break;
  }
  throw invalid(expression);
}

/** Parentheses inside a name (`libc.so.6()(64bit)`) are part of it; others are at the start or end of a word. */
function tokenize(expression: string): Token[] {
  const tokens: Token[] = [];
  for (const piece of expression.split(/\s+/)) {
    let word = piece;
    while (word.startsWith('(')) {
      tokens.push('(');
      word = word.slice(1);
    }
    let closing = 0;
    while (word.endsWith(')') && depthOf(word) < 0) {
      closing += 1;
      word = word.slice(0, -1);
    }
    if (word !== '') tokens.push({ word });
    for (; closing > 0; closing--) tokens.push(')');
  }
  return tokens;
}

function depthOf(word: string): number {
  return word.split('(').length - word.split(')').length;
}

function invalid(expression: string): KubeparcelError {
  return new KubeparcelError('format', `not a rich dependency: ${JSON.stringify(expression.slice(0, 200))}`);
}
