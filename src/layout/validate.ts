import { type Format, SCRIPT_NAMES } from '../model/format.ts';
import type { Entry, Layout } from '../model/layout.ts';
import { RELATION_KINDS, type Relation, type RelationKind } from '../model/relation.ts';
import { KubeparcelError } from '../support/errors.ts';

/**
 * Refuses a layout that a writer could not turn into the package it describes: names and versions that the format does
 * not have, values with line breaks that would become fields of their own, entries out of order or outside the root.
 *
 * @param own what a format finds wrong on top of that, one sentence each
 * @throws KubeparcelError of kind 'format' that names the package and the first problem
 */
export function validateLayout(layout: Layout, own: Iterable<string> = []): void {
  for (const problem of both(own, commonProblems(layout))) {
    throw new KubeparcelError('format', problem, {
      where: `layout of ${layout.name} (${layout.format})`,
      hint: 'mend the package data or the template that the value comes from',
    });
  }
}

function* both(first: Iterable<string>, second: Iterable<string>): Generator<string> {
  yield* first;
  yield* second;
}

function* commonProblems(layout: Layout): Generator<string> {
  const { name, version, architecture, relations } = layout;
  // Debian policy 5.6.1 and 5.6.12; RPM is laxer with names, stricter with nothing that is used here.
  yield* mismatch(/^[a-z0-9][a-z0-9+.-]+$/, name, 'a package name');
  yield* mismatch(/^[A-Za-z0-9][A-Za-z0-9.+~^]*$/, version.upstream, 'an upstream version');
  yield* mismatch(/^[A-Za-z0-9][A-Za-z0-9.+~^]*$/, version.revision, 'a revision');
  yield* mismatch(/^[a-z0-9_]+$/, architecture, 'an architecture');
  for (const field of ['summary', 'licence', 'maintainer', 'homepage', 'section', 'source'] as const) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
    if (/[\u0000-\u001f\u007f]/.test(layout[field])) yield `${field} has a line break or a control character`;
  }
  for (const kind of RELATION_KINDS) {
    for (const relation of relations[kind]) yield* relationProblems(layout.format, kind, relation);
  }
  const scripts: readonly string[] = SCRIPT_NAMES[layout.format];
  for (const script of Object.keys(layout.scripts)) {
    if (!scripts.includes(script)) yield `${layout.format} packages have no script named ${script}`;
  }
  let previous: Entry | undefined;
  for (const entry of layout.entries) {
    const problem = entryProblem(entry, previous);
    if (problem !== undefined) yield `${JSON.stringify(entry.path)} ${problem}`;
    previous = entry;
  }
}

function* relationProblems(format: Format, kind: RelationKind, { anyOf }: Relation): Generator<string> {
  if (anyOf.length === 0) yield `${kind} has an empty relation`;
  for (const { name, constraint } of anyOf) {
    const text = `${name}${constraint?.version ?? ''}`;
    // A rich dependency of an RPM is an expression in the place of a name.
    const rich = format === 'rpm' && name.startsWith('(') && !/[\n\0]/.test(text);
    if (text === '' || (!rich && /[\s,|<>=]/.test(text))) {
      yield `${kind} has a relation that cannot be written: ${JSON.stringify(text)}`;
    }
  }
}

function entryProblem(entry: Entry, previous: Entry | undefined): string | undefined {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
  if (!entry.path.startsWith('/') || /\/(\.{0,2})(\/|$)|[\u0000-\u001f\u007f]/.test(entry.path)) {
    return 'is not an absolute, plain path';
  }
  if (previous !== undefined && Buffer.compare(Buffer.from(previous.path), Buffer.from(entry.path)) >= 0) {
    return `does not sort after ${JSON.stringify(previous.path)}`;
  }
  if (!Number.isInteger(entry.mode) || entry.mode < 0 || entry.mode > 0o7777) return 'has a mode outside 0 to 07777';
  if (!Number.isInteger(entry.mtime) || entry.mtime < 0 || entry.mtime > 0xffffffff)
    return 'has a time outside 32 bits';
  if (!/^[a-z_][a-z0-9_-]*\$?$/.test(entry.owner) || !/^[a-z_][a-z0-9_-]*\$?$/.test(entry.group)) {
    return 'has an owner or group that is no user name';
  }
  if (entry.kind === 'symlink' && entry.target === '') return 'links to nothing';
  return undefined;
}

function* mismatch(pattern: RegExp, value: string, what: string): Generator<string> {
  if (!pattern.test(value)) yield `${JSON.stringify(value)} is not ${what}`;
}
