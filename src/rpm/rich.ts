import type { Relation, RelationTarget } from '../model/relation.ts';
import { formatTarget, operatorOfSign } from './sense.ts';

/**
 * Rich ("boolean") dependencies, rpm >= 4.13: an expression in parentheses in the place of a name. A layout has
 * alternatives only, `(a or b >= 1)`; any other expression is one target whose name is the expression's text.
 */

export function isRich(name: string): boolean {
  return name.startsWith('(');
}

/** `(a or b >= 1)` */
export function formatAlternatives(targets: readonly RelationTarget[]): string {
  return `(${targets.map(formatTarget).join(' or ')})`;
}

/** The relation that an expression states: alternatives, or the expression itself. */
export function parseRich(expression: string): Relation {
  return { anyOf: parseAlternatives(expression) ?? [{ name: expression }] };
}

/** Undefined when the expression is not `(TARGET or TARGET ...)` with the spaces that rpmbuild leaves in it. */
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
  // A single target in parentheses is not how a layout would be written.
  return targets.length > 1 && formatAlternatives(targets) === expression ? targets : undefined;
}

/** A name or version as rpm's parser takes it in one piece: parentheses only inside and balanced. */
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
