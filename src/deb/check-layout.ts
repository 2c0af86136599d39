import { OWNER_NAME_MAX } from '../archive/tar.ts';
import { validateLayout } from '../layout/validate.ts';
import type { Entry, Layout } from '../model/layout.ts';
import { RELATION_KINDS, type RelationKind, type RelationTarget } from '../model/relation.ts';
import { RELATION_NAME } from './control-file.ts';
import { parseDebVersion } from './version.ts';

/**
 * Rejects layouts that a DEB cannot represent: RPM-only roles and relations, entries without their parent directories,
 * and versions and text that dpkg would misread.
 *
 * @throws KubeparcelError of kind 'format'
 */
export function checkDebLayout(layout: Layout): void {
  validateLayout(layout, problems(layout));
}

function* problems(layout: Layout): Generator<string> {
  const { upstream, revision, epoch } = layout.version;
  if (layout.format !== 'deb') yield `the layout is for ${layout.format}, not deb`;
  if (!/^\d[A-Za-z0-9.+~]*$/.test(upstream)) yield `invalid DEB version ${JSON.stringify(upstream)}`;
  if (!/^[A-Za-z0-9.+~]+$/.test(revision)) yield `invalid DEB revision ${JSON.stringify(revision)}`;
  if (!Number.isInteger(epoch) || epoch < 0 || epoch > 0x7fffffff) yield `invalid epoch ${epoch}`;
  if (!Number.isInteger(layout.date) || layout.date < 0 || layout.date > 0xffffffff)
    yield 'the date does not fit into 32 bits';
  if (layout.relations.supplements.length > 0) yield 'DEBs do not support the relation supplements';
  if (layout.source === '') yield 'the source is empty';
  for (const field of ['summary', 'maintainer', 'homepage', 'section', 'source'] as const) {
    if (layout[field] !== layout[field].trim()) yield `${field} has leading or trailing whitespace`;
  }
  if (layout.summary === '') yield 'the summary is empty';
  if (layout.maintainer === '') yield 'the maintainer is empty';
  yield* descriptionProblems(layout.description);
  for (const kind of RELATION_KINDS) {
    for (const target of layout.relations[kind].flatMap(({ anyOf }) => anyOf)) yield* relationProblems(kind, target);
  }
  for (const [name, { interpreter, body }] of Object.entries(layout.scripts)) {
    if (!/^\/\S+( \S+)*$/.test(interpreter)) {
      yield `the interpreter of the script ${name} is not an absolute path: ${JSON.stringify(interpreter)}`;
    }
    if (body.includes('\0')) yield `the script ${name} contains a NUL character`;
  }
  const directories = new Set(['/']);
  for (const entry of layout.entries) {
    yield* entryProblems(entry, layout.date);
    if (!directories.has(parentOf(entry.path))) yield `the parent directory of ${entry.path} is not listed`;
    if (entry.kind === 'directory') directories.add(entry.path);
  }
}

function* descriptionProblems(description: string): Generator<string> {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: rejects control characters
  if (/[\u0000-\u0008\u000b-\u001f\u007f]/.test(description)) yield 'the description contains a control character';
  for (const line of description.split('\n')) {
    if (line === '.') yield 'the description contains a line ".", which stands for an empty line';
    if (line !== '' && line.trim() === '') yield 'the description contains a line of whitespace';
  }
}

function* relationProblems(kind: RelationKind, { name, constraint }: RelationTarget): Generator<string> {
  if (!RELATION_NAME.test(name)) yield `${kind}: invalid package name ${JSON.stringify(name)}`;
  if (constraint !== undefined) {
    try {
      parseDebVersion(constraint.version);
    } catch {
      yield `${kind}: invalid version ${JSON.stringify(constraint.version)} of ${name}`;
    }
  }
}

function* entryProblems(entry: Entry, date: number): Generator<string> {
  if (entry.role === 'ghost') yield `${entry.path} is a ghost, which DEBs do not support`;
  if (entry.role === 'config' && entry.kind !== 'file') yield `${entry.path} is a conffile but not a regular file`;
  if (entry.role === 'config' && /^\s|\s$/.test(entry.path))
    yield `${entry.path} begins or ends with whitespace and cannot be listed in conffiles`;
  if (Buffer.byteLength(entry.path) > 4000) yield `the path ${entry.path.slice(0, 80)}... is longer than 4000 bytes`;
  if (entry.kind === 'symlink' && (entry.target.includes('\0') || Buffer.byteLength(entry.target) > 4000)) {
    yield `${entry.path} has an invalid link target`;
  }
  if (entry.owner.length > OWNER_NAME_MAX || entry.group.length > OWNER_NAME_MAX) {
    yield `the owner or group of ${entry.path} is longer than ${OWNER_NAME_MAX} bytes`;
  }
  if (entry.mtime > date) yield `${entry.path} is newer than the package`;
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf('/'), 1));
}
