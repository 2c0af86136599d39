import { type Format, SCRIPT_NAMES } from '../model/format.ts';
import type { Entry, Layout } from '../model/layout.ts';
import { RELATION_KINDS, type Relation, type RelationKind } from '../model/relation.ts';
import { KubeparcelError } from '../support/errors.ts';

/**
 * Rejects a layout that cannot be written as a package: invalid names and versions, values with line breaks (which would
 * start a new field), entries that are unsorted or have invalid paths.
 *
 * @param formatProblems problems found by the checks of the format, one sentence each; reported first
 * @throws KubeparcelError of kind 'format' with the package and the first problem
 */
export function validateLayout(layout: Layout, formatProblems: Iterable<string> = []): void {
  for (const problem of concatenate(formatProblems, commonProblems(layout))) {
    throw new KubeparcelError('format', problem, {
      where: `layout of ${layout.name} (${layout.format})`,
      hint: 'fix the package data or the template with this value',
    });
  }
}

function* concatenate(first: Iterable<string>, second: Iterable<string>): Generator<string> {
  yield* first;
  yield* second;
}

function* commonProblems(layout: Layout): Generator<string> {
  const { name, version, architecture, relations } = layout;
  // Debian policy 5.6.1 and 5.6.12. RPM also accepts all of these.
  yield* mismatch(/^[a-z0-9][a-z0-9+.-]+$/, name, 'a package name');
  yield* mismatch(/^[A-Za-z0-9][A-Za-z0-9.+~^]*$/, version.upstream, 'an upstream version');
  yield* mismatch(/^[A-Za-z0-9][A-Za-z0-9.+~^]*$/, version.revision, 'a revision');
  yield* mismatch(/^[a-z0-9_]+$/, architecture, 'an architecture');
  for (const field of ['summary', 'license', 'maintainer', 'homepage', 'section', 'source'] as const) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
    if (/[\u0000-\u001f\u007f]/.test(layout[field])) yield `${field} contains a line break or a control character`;
  }
  for (const kind of RELATION_KINDS) {
    for (const relation of relations[kind]) yield* relationProblems(layout.format, kind, relation);
  }
  const scripts: readonly string[] = SCRIPT_NAMES[layout.format];
  for (const script of Object.keys(layout.scripts)) {
    if (!scripts.includes(script)) yield `${layout.format} does not support a script named ${script}`;
  }
  let previous: Entry | undefined;
  for (const entry of layout.entries) {
    const problem = entryProblem(entry, previous);
    if (problem !== undefined) yield `${JSON.stringify(entry.path)} ${problem}`;
    previous = entry;
  }
}

function* relationProblems(format: Format, kind: RelationKind, { anyOf }: Relation): Generator<string> {
  if (anyOf.length === 0) yield `${kind} contains an empty relation`;
  for (const { name, constraint } of anyOf) {
    const text = `${name}${constraint?.version ?? ''}`;
    // In an RPM, a rich dependency is an expression in place of a name.
    const rich = format === 'rpm' && name.startsWith('(') && !/[\n\0]/.test(text);
    if (text === '' || (!rich && /[\s,|<>=]/.test(text))) {
      yield `${kind} contains an invalid relation: ${JSON.stringify(text)}`;
    }
  }
}

function entryProblem(entry: Entry, previous: Entry | undefined): string | undefined {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
  if (!entry.path.startsWith('/') || /\/(\.{0,2})(\/|$)|[\u0000-\u001f\u007f]/.test(entry.path)) {
    return 'is not an absolute, normalized path';
  }
  if (previous !== undefined && Buffer.compare(Buffer.from(previous.path), Buffer.from(entry.path)) >= 0) {
    return `does not sort after ${JSON.stringify(previous.path)}`;
  }
  if (!Number.isInteger(entry.mode) || entry.mode < 0 || entry.mode > 0o7777) return 'has a mode outside 0 to 07777';
  if (!Number.isInteger(entry.mtime) || entry.mtime < 0 || entry.mtime > 0xffffffff)
    return 'has a time outside 32 bits';
  if (!/^[a-z_][a-z0-9_-]*\$?$/.test(entry.owner) || !/^[a-z_][a-z0-9_-]*\$?$/.test(entry.group)) {
    return 'has an invalid owner or group';
  }
  if (entry.kind === 'symlink' && entry.target === '') return 'has an empty link target';
  return undefined;
}

function* mismatch(pattern: RegExp, value: string, what: string): Generator<string> {
  if (!pattern.test(value)) yield `${JSON.stringify(value)} is not ${what}`;
}
