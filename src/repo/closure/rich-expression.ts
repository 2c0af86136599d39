import type { RelationTarget } from '../../model/relation.ts';
import { operatorOfSign } from '../../rpm/sense.ts';
import { KubeparcelError } from '../../support/errors.ts';

/** Nobody nests them deeper, and a parser that calls itself must end. */
const MAX_DEPTH = 32;

const OPERATORS = ['or', 'and', 'if', 'unless', 'with', 'without', 'else'];

type Token = '(' | ')' | { readonly word: string };

/**
 * Whether a rich dependency of an RPM can be satisfied (rpm's manual, "Boolean dependencies"), seen from what there is,
 * not from what is installed: `(a if b)` holds where a can be had, or b cannot; `(a unless b)` where either can be had;
 * `with` needs both, `without` its first.
 *
 * @param expression with its parentheses: `(a or b >= 1)`
 * @param resolves whether a single target can be had
 * @throws KubeparcelError of kind 'format' for what rpm would not parse
 */
export function richHolds(expression: string, resolves: (target: RelationTarget) => boolean): boolean {
  const tokens = tokenize(expression);
  let at = 0;

  function group(depth: number): boolean {
    if (depth > MAX_DEPTH || tokens[at] !== '(') throw notRich(expression);
    at += 1;
    const values = [operand(depth)];
    const operators: string[] = [];
    for (let operator = takeOperator(); operator !== undefined; operator = takeOperator()) {
      operators.push(operator);
      values.push(operand(depth));
    }
    if (tokens[at] !== ')') throw notRich(expression);
    at += 1;
    return combine(expression, values, operators);
  }

  function operand(depth: number): boolean {
    if (tokens[at] === '(') return group(depth + 1);
    const name = takeWord();
    if (name === undefined || OPERATORS.includes(name)) throw notRich(expression);
    const operator = operatorOfSign(peekWord() ?? '');
    if (operator === undefined) return resolves({ name });
    at += 1;
    const version = takeWord();
    if (version === undefined) throw notRich(expression);
    return resolves({ name, constraint: { operator, version } });
  }

  function peekWord(): string | undefined {
    const token = tokens[at];
    return typeof token === 'object' ? token.word : undefined;
  }

  function takeWord(): string | undefined {
    const word = peekWord();
    if (word !== undefined) at += 1;
    return word;
  }

  function takeOperator(): string | undefined {
    const word = peekWord();
    if (word === undefined || !OPERATORS.includes(word)) return undefined;
    at += 1;
    return word;
  }

  const holds = group(1);
  if (at !== tokens.length) throw notRich(expression);
  return holds;
}

/** `or`, `and` and `with` may be chained, nothing else; `else` belongs to an `if` or `unless`. */
function combine(expression: string, values: readonly boolean[], operators: readonly string[]): boolean {
  const [first = false, second = false, third = false] = values;
  const [operator, other] = operators;
  if (operator === undefined) return first;
  if (other === 'else' && operators.length === 2) {
    if (operator === 'if') return second ? first : third;
    if (operator === 'unless') return second ? third : first;
  }
  if (operators.some((each) => each !== operator)) throw notRich(expression);
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
  throw notRich(expression);
}

/** Parentheses inside a name (`libc.so.6()(64bit)`) belong to it; others stand at the start or end of a word. */
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

function notRich(expression: string): KubeparcelError {
  return new KubeparcelError('format', `not a rich dependency: ${JSON.stringify(expression.slice(0, 200))}`);
}
