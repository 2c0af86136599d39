import { KubeparcelError } from '../support/errors.ts';
import { type Entry, type Layout, RELATION_KINDS, SCRIPT_NAMES } from './layout.ts';

/**
 * Refuses a layout that a writer could not turn into the package it describes: names and versions that the format does
 * not have, values with line breaks that would become fields of their own, entries out of order or outside the root.
 *
 * @throws KubeparcelError of kind 'format' that names the package and the value
 */
export function validateLayout(layout: Layout): void {
  const refuse = (what: string): never => {
    throw new KubeparcelError('format', what, {
      where: `layout of ${layout.name} (${layout.format})`,
      todo: 'mend the package data or the template that the value comes from',
    });
  };
  const { version } = layout;
  // Debian policy 5.6.1 and 5.6.12; RPM is laxer with names, stricter with nothing that is used here.
  check(/^[a-z0-9][a-z0-9+.-]+$/, layout.name, 'a package name', refuse);
  check(/^[A-Za-z0-9][A-Za-z0-9.+~^]*$/, version.upstream, 'an upstream version', refuse);
  check(/^[A-Za-z0-9][A-Za-z0-9.+~^]*$/, version.revision, 'a revision', refuse);
  check(/^[a-z0-9_]+$/, layout.architecture, 'an architecture', refuse);
  for (const field of ['summary', 'licence', 'maintainer', 'homepage', 'section', 'source'] as const) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
    if (/[\u0000-\u001f\u007f]/.test(layout[field])) refuse(`${field} has a line break or a control character`);
  }
  for (const kind of RELATION_KINDS) {
    for (const { name, constraint } of layout.relations[kind].flatMap((relation) => relation.anyOf)) {
      const text = `${name}${constraint?.version ?? ''}`;
      // A rich dependency of an RPM is an expression in the place of a name.
      const rich = layout.format === 'rpm' && name.startsWith('(') && !/[\n\0]/.test(text);
      if (text === '' || (!rich && /[\s,|<>=]/.test(text)))
        refuse(`${kind} has a relation that cannot be written: ${JSON.stringify(text)}`);
    }
    if (layout.relations[kind].some((relation) => relation.anyOf.length === 0)) refuse(`${kind} has an empty relation`);
  }
  const scripts: readonly string[] = SCRIPT_NAMES[layout.format];
  for (const name of Object.keys(layout.scripts)) {
    if (!scripts.includes(name)) refuse(`${layout.format} packages have no script named ${name}`);
  }
  let previous: Entry | undefined;
  for (const entry of layout.entries) {
    const problem = entryProblem(entry, previous);
    if (problem !== undefined) refuse(`${JSON.stringify(entry.path)} ${problem}`);
    previous = entry;
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

function check(pattern: RegExp, value: string, what: string, refuse: (what: string) => never): void {
  if (!pattern.test(value)) refuse(`${JSON.stringify(value)} is not ${what}`);
}
