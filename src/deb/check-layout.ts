import { OWNER_NAME_MAX } from '../archive/tar.ts';
import { validateLayout } from '../layout/validate.ts';
import type { Entry, Layout } from '../model/layout.ts';
import { RELATION_KINDS, type RelationKind, type RelationTarget } from '../model/relation.ts';
import { RELATION_NAME } from './control-file.ts';
import { parseDebVersion } from './version.ts';

/**
 * Refuses what no DEB can say: another format's layout, roles and relations that exist in RPMs only, directories that are
 * not listed, versions and text that dpkg would read otherwise.
 *
 * @throws KubeparcelError of kind 'format'
 */
export function checkDebLayout(layout: Layout): void {
  validateLayout(layout, problems(layout));
}

function* problems(layout: Layout): Generator<string> {
  const { upstream, revision, epoch } = layout.version;
  if (layout.format !== 'deb') yield `a DEB cannot be made of a layout for ${layout.format}`;
  if (!/^\d[A-Za-z0-9.+~]*$/.test(upstream)) yield `${JSON.stringify(upstream)} cannot be the version of a DEB`;
  if (!/^[A-Za-z0-9.+~]+$/.test(revision)) yield `${JSON.stringify(revision)} cannot be the revision of a DEB`;
  if (!Number.isInteger(epoch) || epoch < 0 || epoch > 0x7fffffff) yield `${epoch} cannot be an epoch`;
  if (!Number.isInteger(layout.date) || layout.date < 0 || layout.date > 0xffffffff)
    yield 'its date is outside 32 bits';
  if (layout.relations.supplements.length > 0) yield 'DEBs have no relation like Supplements';
  if (layout.source === '') yield 'no source is named';
  for (const field of ['summary', 'maintainer', 'homepage', 'section', 'source'] as const) {
    if (layout[field] !== layout[field].trim()) yield `${field} begins or ends with a blank`;
  }
  if (layout.summary === '' || layout.maintainer === '') yield 'it has no summary or no maintainer';
  yield* descriptionProblems(layout.description);
  for (const kind of RELATION_KINDS) {
    for (const target of layout.relations[kind].flatMap(({ anyOf }) => anyOf)) yield* relationProblems(kind, target);
  }
  for (const [name, { interpreter, body }] of Object.entries(layout.scripts)) {
    if (!/^\/\S+( \S+)*$/.test(interpreter)) {
      yield `the script ${name} is for ${JSON.stringify(interpreter)}, which is no program's path`;
    }
    if (body.includes('\0')) yield `the script ${name} has a NUL character`;
  }
  const directories = new Set(['/']);
  for (const entry of layout.entries) {
    yield* entryProblems(entry, layout.date);
    if (!directories.has(parentOf(entry.path))) yield `${entry.path} is listed without the directory that it is in`;
    if (entry.kind === 'directory') directories.add(entry.path);
  }
}

function* descriptionProblems(description: string): Generator<string> {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
  if (/[\u0000-\u0008\u000b-\u001f\u007f]/.test(description)) yield 'the description has a control character';
  for (const line of description.split('\n')) {
    if (line === '.') yield 'the description has a line that is only a full stop, which stands for an empty line';
    if (line !== '' && line.trim() === '')
      yield 'the description has a line of blanks, which would end the control file';
  }
}

function* relationProblems(kind: RelationKind, { name, constraint }: RelationTarget): Generator<string> {
  if (!RELATION_NAME.test(name)) yield `${kind}: ${JSON.stringify(name)} is not the name of a DEB`;
  if (constraint !== undefined) {
    try {
      parseDebVersion(constraint.version);
    } catch {
      yield `${kind}: ${name} is compared with ${JSON.stringify(constraint.version)}, which is no version of a DEB`;
    }
  }
}

function* entryProblems(entry: Entry, date: number): Generator<string> {
  if (entry.role === 'ghost') yield `${entry.path} is a ghost, which DEBs do not have`;
  if (entry.role === 'config' && entry.kind !== 'file') yield `${entry.path} is a conffile and no file`;
  if (entry.role === 'config' && /^\s|\s$/.test(entry.path)) yield `${entry.path} cannot be listed as a conffile`;
  if (Buffer.byteLength(entry.path) > 4000) yield `${entry.path.slice(0, 80)}... is too long a path`;
  if (entry.kind === 'symlink' && (entry.target.includes('\0') || Buffer.byteLength(entry.target) > 4000)) {
    yield `${entry.path} links to what cannot be a path`;
  }
  if (entry.owner.length > OWNER_NAME_MAX || entry.group.length > OWNER_NAME_MAX) {
    yield `${entry.path} belongs to a name of more than ${OWNER_NAME_MAX} bytes`;
  }
  if (entry.mtime > date) yield `${entry.path} is newer than the package`;
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf('/'), 1));
}
