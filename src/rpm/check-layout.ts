import { validateLayout } from '../layout/validate.ts';
import type { Entry, Layout, Script } from '../model/layout.ts';
import type { Relation, RelationKind } from '../model/relation.ts';
import { RELATION_KINDS } from '../model/relation.ts';
import { isPlainName, isRich } from './dependency.ts';
import { rpmArchitecture } from './lead.ts';
import { LUA } from './scripts.ts';

/** rpm's own limit of items in a header. */
const FILES_MAX = 0xfffff;
const UINT32_MAX = 0xffffffff;

/**
 * Refuses what no RPM can say: another format's layout, versions and names that rpm would read otherwise, relations and
 * roles that exist in DEBs only, text that would end a string of the header.
 *
 * @throws KubeparcelError of kind 'format'
 */
export function checkRpmLayout(layout: Layout): void {
  validateLayout(layout, problems(layout));
}

function* problems(layout: Layout): Generator<string> {
  const { version } = layout;
  if (layout.format !== 'rpm') yield `an RPM cannot be made of a layout for ${layout.format}`;
  if (layout.multiArch !== undefined) yield 'RPMs have no Multi-Arch';
  if (layout.relations.breaks.length > 0) yield 'RPMs have no Breaks';
  if (rpmArchitecture(layout.architecture) === undefined) {
    yield `rpm calls no architecture ${JSON.stringify(layout.architecture)}`;
  }
  for (const [what, text] of [
    ['version', version.upstream],
    ['release', version.revision],
  ]) {
    if (!/^[A-Za-z0-9._+~^]+$/.test(text ?? '')) yield `${JSON.stringify(text)} cannot be the ${what} of an RPM`;
  }
  if (!isUint32(version.epoch) || !isUint32(layout.date)) yield 'the epoch or the date is no number of 32 bits';
  if (layout.source === '') yield 'no source is named: rpm takes a package without one for a source package';
  if (layout.entries.length > FILES_MAX) yield `it has more than ${FILES_MAX} files`;
  for (const kind of RELATION_KINDS) {
    for (const relation of layout.relations[kind]) yield* relationProblems(kind, relation);
  }
  for (const [name, script] of Object.entries(layout.scripts)) yield* scriptProblems(name, script);
  for (const entry of layout.entries) yield* entryProblems(entry);
  for (const { author, version: changeVersion, changes, date } of layout.changelog) {
    if (!isUint32(date)) yield 'the changelog has a date outside 32 bits';
    if ([author, changeVersion, ...changes].some((text) => /[\n\0]/.test(text))) yield 'the changelog has a line break';
  }
  if (layout.description.includes('\0')) yield 'the description has a NUL character';
}

function* relationProblems(kind: RelationKind, { anyOf }: Relation): Generator<string> {
  const unversionedText = anyOf.length === 1 && anyOf[0]?.constraint === undefined;
  for (const { name, constraint } of anyOf) {
    const shown = `${kind}: ${JSON.stringify(name)}`;
    if (!isPlainName(name) && !(isRich(name) && name.endsWith(')') && unversionedText && !/[\n\0]/.test(name))) {
      yield `${shown} is not what rpm takes for a name or a rich dependency`;
    }
    if (name.startsWith('rpmlib(')) yield `${shown} is for the writer to add`;
    if (constraint !== undefined && !/^[A-Za-z0-9._+~^:-]+$/.test(constraint.version)) {
      yield `${shown} compares with ${JSON.stringify(constraint.version)}, which is no version`;
    }
  }
  if ((kind === 'provides' || kind === 'replaces') && (anyOf.length > 1 || anyOf.some(({ name }) => isRich(name)))) {
    yield `${kind} has alternatives, which rpm has for other relations only`;
  }
}

function* scriptProblems(name: string, { interpreter, body }: Script): Generator<string> {
  if (interpreter !== LUA && !/^\/\S+( \S+)*$/.test(interpreter)) {
    yield `the script ${name} is for ${JSON.stringify(interpreter)}, which is no program's path nor ${LUA}`;
  }
  if (body.includes('\0') || interpreter.includes('\0')) yield `the script ${name} has a NUL character`;
}

function* entryProblems(entry: Entry): Generator<string> {
  // rpmbuild drops the mark without a word.
  if (entry.kind === 'directory' && entry.role !== 'plain' && entry.role !== 'ghost') {
    yield `${entry.path} is a directory, and a directory cannot be marked as ${entry.role}`;
  }
  if (entry.kind === 'symlink' && entry.target.includes('\0')) yield `${entry.path} links to a NUL character`;
  if (Buffer.byteLength(entry.path) > 4000) yield `${entry.path.slice(0, 80)}... is too long a path`;
}

function isUint32(number: number): boolean {
  return Number.isInteger(number) && number >= 0 && number <= UINT32_MAX;
}
