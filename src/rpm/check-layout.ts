import { validateLayout } from '../layout/validate.ts';
import type { Entry, Layout, Script } from '../model/layout.ts';
import type { Relation, RelationKind } from '../model/relation.ts';
import { RELATION_KINDS } from '../model/relation.ts';
import { isPlainName, isRich } from './dependency.ts';
import { rpmArchitecture } from './lead.ts';
import { LUA } from './scripts.ts';

/** rpm's limit of items per tag. */
const FILES_MAX = 0xfffff;
const UINT32_MAX = 0xffffffff;

/**
 * Rejects layouts that an RPM cannot represent: DEB-only relations and fields, versions and names that rpm would misread,
 * and text with NUL characters.
 *
 * @throws KubeparcelError of kind 'format'
 */
export function checkRpmLayout(layout: Layout): void {
  validateLayout(layout, problems(layout));
}

function* problems(layout: Layout): Generator<string> {
  const { version } = layout;
  if (layout.format !== 'rpm') yield `the layout is for ${layout.format}, not rpm`;
  if (layout.multiArch !== undefined) yield 'RPMs do not support Multi-Arch';
  if (layout.relations.breaks.length > 0) yield 'RPMs do not support the relation breaks';
  if (rpmArchitecture(layout.architecture) === undefined) {
    yield `unknown RPM architecture ${JSON.stringify(layout.architecture)}`;
  }
  for (const [what, text] of [
    ['version', version.upstream],
    ['release', version.revision],
  ]) {
    if (!/^[A-Za-z0-9._+~^]+$/.test(text ?? '')) yield `invalid RPM ${what} ${JSON.stringify(text)}`;
  }
  if (!isUint32(version.epoch) || !isUint32(layout.date)) yield 'the epoch or the date does not fit into 32 bits';
  if (layout.source === '') yield 'the source is empty; rpm would read the package as a source package';
  if (layout.entries.length > FILES_MAX) yield `the package has more than ${FILES_MAX} files`;
  for (const kind of RELATION_KINDS) {
    for (const relation of layout.relations[kind]) yield* relationProblems(kind, relation);
  }
  for (const [name, script] of Object.entries(layout.scripts)) yield* scriptProblems(name, script);
  for (const entry of layout.entries) yield* entryProblems(entry);
  for (const { author, version: changeVersion, changes, date } of layout.changelog) {
    if (!isUint32(date)) yield 'a date in the changelog does not fit into 32 bits';
    if ([author, changeVersion, ...changes].some((text) => /[\n\0]/.test(text)))
      yield 'the changelog contains a line break or a NUL character';
  }
  if (layout.description.includes('\0')) yield 'the description contains a NUL character';
}

function* relationProblems(kind: RelationKind, { anyOf }: Relation): Generator<string> {
  const unversionedText = anyOf.length === 1 && anyOf[0]?.constraint === undefined;
  for (const { name, constraint } of anyOf) {
    const shown = `${kind}: ${JSON.stringify(name)}`;
    if (!isPlainName(name) && !(isRich(name) && name.endsWith(')') && unversionedText && !/[\n\0]/.test(name))) {
      yield `${shown} is neither a name nor a rich dependency`;
    }
    if (name.startsWith('rpmlib(')) yield `${shown} is added by the writer`;
    if (constraint !== undefined && !/^[A-Za-z0-9._+~^:-]+$/.test(constraint.version)) {
      yield `${shown} has the invalid version ${JSON.stringify(constraint.version)}`;
    }
  }
  if ((kind === 'provides' || kind === 'replaces') && (anyOf.length > 1 || anyOf.some(({ name }) => isRich(name)))) {
    yield `rpm does not support alternatives in ${kind}`;
  }
}

function* scriptProblems(name: string, { interpreter, body }: Script): Generator<string> {
  if (interpreter !== LUA && !/^\/\S+( \S+)*$/.test(interpreter)) {
    yield `the interpreter of the script ${name} is neither an absolute path nor ${LUA}: ${JSON.stringify(interpreter)}`;
  }
  if (body.includes('\0') || interpreter.includes('\0')) yield `the script ${name} contains a NUL character`;
}

function* entryProblems(entry: Entry): Generator<string> {
  // rpmbuild silently ignores these roles for directories.
  if (entry.kind === 'directory' && entry.role !== 'plain' && entry.role !== 'ghost') {
    yield `${entry.path} is a directory and cannot have the role ${entry.role}`;
  }
  if (entry.kind === 'symlink' && entry.target.includes('\0'))
    yield `the link target of ${entry.path} contains a NUL character`;
  if (Buffer.byteLength(entry.path) > 4000) yield `the path ${entry.path.slice(0, 80)}... is longer than 4000 bytes`;
}

function isUint32(number: number): boolean {
  return Number.isInteger(number) && number >= 0 && number <= UINT32_MAX;
}
