import type { Operator, Relation, RelationKind, RelationTarget } from '../model/relation.ts';
import { KubeparcelError } from '../support/errors.ts';

/** Fields of a stanza in file order. Lines of a value are joined by line feeds, without the leading space of continuation lines. */
export type ControlFields = readonly (readonly [name: string, value: string])[];

/** Formats a stanza (deb822(5)). No line of a value may be empty. */
export function formatControl(fields: ControlFields): string {
  return fields.map(([name, value]) => `${name}: ${value.replaceAll('\n', '\n ')}\n`).join('');
}

/**
 * Parses a file that consists of one stanza (deb822(5)). Field names keep their spelling. Only the leading space or tab
 * of continuation lines is removed, so parsing is the inverse of formatControl.
 *
 * @throws KubeparcelError of kind 'format' for several stanzas, duplicate fields and lines outside a field
 */
export function parseControl(text: string): ControlFields {
  const fields: [string, string][] = [];
  const seen = new Set<string>();
  let current: [string, string] | undefined;
  for (const [index, line] of text.replace(/\n+$/, '').split('\n').entries()) {
    const start = /^([!-9;-~]+):[ \t]*(.*)$/.exec(line);
    if (/^[ \t]/.test(line) && line.trim() !== '' && current !== undefined) {
      current[1] += `\n${line.slice(1)}`;
    } else if (start?.[1] !== undefined && !seen.has(start[1].toLowerCase())) {
      current = [start[1], (start[2] ?? '').trimEnd()];
      seen.add(start[1].toLowerCase());
      fields.push(current);
    } else {
      throw new KubeparcelError('format', `line ${index + 1} of the control file is invalid: ${quote(line)}`);
    }
  }
  return fields;
}

function quote(line: string): string {
  return JSON.stringify(line.length > 80 ? `${line.slice(0, 80)}...` : line);
}

/** The value of a field; names are case-insensitive. */
export function controlField(fields: ControlFields, name: string): string | undefined {
  return fields.find(([known]) => known.toLowerCase() === name.toLowerCase())?.[1];
}

/** The Description field (Debian policy 5.6.13): the summary, then the description with `.` in place of empty lines. */
export function foldDescription(summary: string, description: string): string {
  return description === '' ? summary : [summary, ...description.split('\n').map((line) => line || '.')].join('\n');
}

export function unfoldDescription(value: string): { readonly summary: string; readonly description: string } {
  const [summary = '', ...lines] = value.split('\n');
  return { summary, description: lines.map((line) => (line === '.' ? '' : line)).join('\n') };
}

/** Relation fields (deb-control(5)) in the order of dpkg-gencontrol. */
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

/** `<` and `>` are obsolete; dpkg reads them as `<=` and `>=`. */
const OPERATORS: Readonly<Record<string, Operator>> = {
  '<<': '<<',
  '<=': '<=',
  '=': '=',
  '>=': '>=',
  '>>': '>>',
  '<': '<=',
  '>': '>=',
};

/** A package name, optionally with an architecture qualifier (`:any`). */
export const RELATION_NAME = /^[A-Za-z0-9][A-Za-z0-9.+-]*(:[a-z0-9-]+)?$/;

/**
 * Parses a relation field: `a (>= 1), b | c` (deb-control(5), Debian policy 7.1).
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
    throw new KubeparcelError('format', `${field} contains an invalid relation: ${JSON.stringify(text.slice(0, 100))}`);
  }
  return operator === undefined || version === undefined ? { name } : { name, constraint: { operator, version } };
}
