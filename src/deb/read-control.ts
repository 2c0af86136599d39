import { collect } from '../archive/chunks.ts';
import { readTar } from '../archive/tar-reader.ts';
import { SCRIPT_NAMES } from '../model/format.ts';
import type { Layout, Script } from '../model/layout.ts';
import { RELATION_KINDS, type Relation, type RelationKind } from '../model/relation.ts';
import { KubeparcelError } from '../support/errors.ts';
import {
  type ControlFields,
  controlField,
  parseControl,
  parseRelations,
  RELATION_FIELDS,
  unfoldDescription,
} from './control-file.ts';
import { parseDebVersion } from './version.ts';

/** What the fields of DEBIAN/control say, in the model's words. */
type ControlFacts = Pick<
  Layout,
  | 'name'
  | 'version'
  | 'architecture'
  | 'summary'
  | 'description'
  | 'maintainer'
  | 'homepage'
  | 'section'
  | 'source'
  | 'multiArch'
  | 'relations'
>;

export interface ControlArchive {
  readonly facts: ControlFacts;
  readonly fields: ControlFields;
  readonly scripts: Layout['scripts'];
  /** The newest time in the archive, seconds since 1970-01-01 UTC. */
  readonly date: number;
  /** Paths on the host. */
  readonly conffiles: ReadonlySet<string>;
  /** MD5 in hex by path on the host. */
  readonly md5sums: ReadonlyMap<string, string>;
}

/**
 * Reads a control.tar, which the caller has bounded.
 *
 * @throws KubeparcelError of kind 'format'
 */
export async function readControl(tar: AsyncIterable<Uint8Array>): Promise<ControlArchive> {
  const files = new Map<string, Uint8Array>();
  let date = 0;
  for await (const member of readTar(tar)) {
    date = Math.max(date, member.mtime);
    const name = member.path.replace(/^(\.\/+)+/, '');
    if (member.kind === 'directory' && (name === '.' || name === '')) {
      continue;
    }
    if (member.kind !== 'file' || !/^[A-Za-z0-9._-]+$/.test(name) || files.has(name)) {
      throw new KubeparcelError('format', 'a control file that is doubled, not a file or not in its place', {
        where: JSON.stringify(member.path),
      });
    }
    const tooLong = () => new Error('a file that is longer than its archive');
    files.set(name, await collect(member.content, member.size, tooLong));
  }
  const control = files.get('control');
  if (control === undefined) {
    throw new KubeparcelError('format', 'it has no control file');
  }
  const fields = parseControl(utf8(control, 'control'));
  return {
    facts: controlFacts(fields),
    fields,
    scripts: Object.fromEntries(
      SCRIPT_NAMES.deb.flatMap((name) => {
        const bytes = files.get(name);
        return bytes === undefined ? [] : [[name, parseScript(bytes)]];
      }),
    ),
    date,
    conffiles: parseConffiles(utf8(files.get('conffiles'), 'conffiles')),
    md5sums: parseMd5sums(utf8(files.get('md5sums'), 'md5sums')),
  };
}

function controlFacts(fields: ControlFields): ControlFacts {
  const optional = (name: string) => controlField(fields, name) ?? '';
  const required = (name: string, pattern: RegExp) => {
    const value = optional(name);
    if (!pattern.test(value)) {
      throw new KubeparcelError('format', `the control file has no valid ${name}`, { where: 'control' });
    }
    return value;
  };
  const name = required('Package', /^[A-Za-z0-9][A-Za-z0-9+.-]*$/);
  const multiArch = optional('Multi-Arch');
  const relations = new Map<RelationKind, Relation[]>(
    RELATION_FIELDS.map(([field, kind]) => [kind, parseRelations(field, optional(field))]),
  );
  return {
    name,
    version: parseDebVersion(required('Version', /./)),
    architecture: required('Architecture', /^[a-z0-9][a-z0-9-]*$/),
    ...unfoldDescription(optional('Description')),
    maintainer: optional('Maintainer'),
    homepage: optional('Homepage'),
    section: optional('Section'),
    // With the version where it differs from the binary package's: Source: gcc-12 (12.2.0-14)
    source: optional('Source').replace(/\s*\(.*$/, '') || name,
    ...(multiArch === 'foreign' || multiArch === 'same' || multiArch === 'allowed' ? { multiArch } : {}),
    relations: Object.fromEntries(
      RELATION_KINDS.map((kind) => [kind, relations.get(kind) ?? []]),
    ) as unknown as Layout['relations'],
  };
}

/** A program in place of a script (as bash has for its preinst) has no interpreter, and its bytes as the body. */
function parseScript(bytes: Uint8Array): Script {
  const latin1 = Buffer.from(bytes).toString('latin1');
  const text = Buffer.from(bytes).toString('utf8');
  const body = Buffer.from(text).equals(bytes) ? text : latin1;
  const match = /^#![ \t]*([^\n]*?)[ \t]*(?:\n|$)/.exec(body);
  return match?.[1] === undefined
    ? { interpreter: '', body }
    : { interpreter: match[1], body: body.slice(match[0].length) };
}

/** deb-conffiles(5); `remove-on-upgrade` stands before a path that the package no longer has. */
function parseConffiles(text: string): Set<string> {
  const lines = text.split('\n').map((line) => line.trimEnd());
  const paths = lines.filter((line) => line !== '' && !/^remove-on-upgrade\s/.test(line));
  const wrong = paths.find((path) => !path.startsWith('/'));
  if (wrong !== undefined) {
    throw new KubeparcelError('format', `${JSON.stringify(wrong.slice(0, 100))} is not a path`, { where: 'conffiles' });
  }
  return new Set(paths);
}

/** deb-md5sums(5), as md5sum(1) writes it: names with a backslash or a line feed are escaped. */
function parseMd5sums(text: string): Map<string, string> {
  const sums = new Map<string, string>();
  for (const line of text.split('\n').filter((each) => each !== '')) {
    const match = /^(\\?)([0-9a-f]{32}) [ *](?:\.?\/)?([^/].*)$/.exec(line);
    if (match?.[2] === undefined || match[3] === undefined) {
      throw new KubeparcelError('format', `${JSON.stringify(line.slice(0, 100))} is not a sum`, { where: 'md5sums' });
    }
    const path =
      match[1] === '' ? match[3] : match[3].replaceAll(/\\(.)/g, (_, letter) => (letter === 'n' ? '\n' : letter));
    sums.set(`/${path}`, match[2]);
  }
  return sums;
}

function utf8(bytes: Uint8Array | undefined, where: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes ?? new Uint8Array(0));
  } catch (cause) {
    throw new KubeparcelError('format', 'a control file that is not UTF-8', { where, cause });
  }
}
