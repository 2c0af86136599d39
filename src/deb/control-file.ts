import { KubeparcelError } from '../support/errors.ts';

/** Fields of a paragraph in their order; a value's lines are joined by line feeds, without the blank that continues them. */
export type ControlFields = readonly (readonly [name: string, value: string])[];

/** Writes one paragraph in the syntax of deb822(5). No line of a value may be empty. */
export function formatControl(fields: ControlFields): string {
  return fields.map(([name, value]) => `${name}: ${value.replaceAll('\n', '\n ')}\n`).join('');
}

/**
 * Reads a file that is one paragraph, deb822(5). Names keep their spelling; the values' lines keep everything but the
 * blank or tab that continues them, so that what formatControl has written comes back as it was.
 *
 * @throws KubeparcelError of kind 'format' for other paragraphs, doubled fields and lines that belong to no field
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
      throw new KubeparcelError('format', `line ${index + 1} of the control file cannot be: ${quote(line)}`);
    }
  }
  return fields;
}

function quote(line: string): string {
  return JSON.stringify(line.length > 80 ? `${line.slice(0, 80)}...` : line);
}

/** A field's value whatever the case of its name. */
export function controlField(fields: ControlFields, name: string): string | undefined {
  return fields.find(([known]) => known.toLowerCase() === name.toLowerCase())?.[1];
}

/** Description (Debian policy 5.6.13): the summary, then the text with ` .` for its empty lines. */
export function foldDescription(summary: string, description: string): string {
  return description === '' ? summary : [summary, ...description.split('\n').map((line) => line || '.')].join('\n');
}

export function unfoldDescription(value: string): { readonly summary: string; readonly description: string } {
  const [summary = '', ...lines] = value.split('\n');
  return { summary, description: lines.map((line) => (line === '.' ? '' : line)).join('\n') };
}
