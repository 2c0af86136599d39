import { collect } from '../archive/chunks.ts';
import { readTar } from '../archive/tar-reader.ts';
import { SCRIPT_NAMES } from '../model/format.ts';
import type { Layout, Script } from '../model/layout.ts';
import { noRelations } from '../model/relation.ts';
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

/** The part of a layout that comes from the control file. */
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
  /** The latest mtime in the archive, seconds since 1970-01-01 UTC. */
  readonly date: number;
  /** Absolute paths. */
  readonly conffiles: ReadonlySet<string>;
  /** MD5 in hex by absolute path. */
  readonly md5sums: ReadonlyMap<string, string>;
}

/**
 * Reads a control.tar. The caller limits its size.
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
      throw new KubeparcelError(
        'format',
        'a member of control.tar is a duplicate, not a regular file or in a subdirectory',
        {
          where: JSON.stringify(member.path),
        },
      );
    }
    const tooLong = () => new Error('longer than its size in the archive');
    files.set(name, await collect(member.content, member.size, tooLong));
  }
  const control = files.get('control');
  if (control === undefined) {
    throw new KubeparcelError('format', 'control.tar contains no control file');
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
      throw new KubeparcelError('format', `the field ${name} is missing or invalid`, { where: 'control' });
    }
    return value;
  };
  const name = required('Package', /^[A-Za-z0-9][A-Za-z0-9+.-]*$/);
  const multiArch = optional('Multi-Arch');
  const relations = noRelations();
  for (const [field, kind] of RELATION_FIELDS) relations[kind] = parseRelations(field, optional(field));
  return {
    name,
    version: parseDebVersion(required('Version', /./)),
    architecture: required('Architecture', /^[a-z0-9][a-z0-9-]*$/),
    ...unfoldDescription(optional('Description')),
    maintainer: optional('Maintainer'),
    homepage: optional('Homepage'),
    section: optional('Section'),
    // Includes the version if it differs from the binary package's: Source: gcc-12 (12.2.0-14)
    source: optional('Source').replace(/\s*\(.*$/, '') || name,
    multiArch: multiArch === 'foreign' || multiArch === 'same' || multiArch === 'allowed' ? multiArch : undefined,
    relations,
  };
}

/** A maintainer script may be a binary (bash's preinst): no interpreter, and the body holds its bytes. */
function parseScript(bytes: Uint8Array): Script {
  const latin1 = Buffer.from(bytes).toString('latin1');
  const text = Buffer.from(bytes).toString('utf8');
  const body = Buffer.from(text).equals(bytes) ? text : latin1;
  const match = /^#![ \t]*([^\n]*?)[ \t]*(?:\n|$)/.exec(body);
  return match?.[1] === undefined
    ? { interpreter: '', body }
    : { interpreter: match[1], body: body.slice(match[0].length) };
}

/** deb-conffiles(5); paths marked `remove-on-upgrade` are not in the package. */
function parseConffiles(text: string): Set<string> {
  const lines = text.split('\n').map((line) => line.trimEnd());
  const paths = lines.filter((line) => line !== '' && !/^remove-on-upgrade\s/.test(line));
  const wrong = paths.find((path) => !path.startsWith('/'));
  if (wrong !== undefined) {
    throw new KubeparcelError('format', `not an absolute path: ${JSON.stringify(wrong.slice(0, 100))}`, {
      where: 'conffiles',
    });
  }
  return new Set(paths);
}

/** deb-md5sums(5), as written by md5sum(1): names with a backslash or a line feed are escaped. */
function parseMd5sums(text: string): Map<string, string> {
  const sums = new Map<string, string>();
  for (const line of text.split('\n').filter((each) => each !== '')) {
    const match = /^(\\?)([0-9a-f]{32}) [ *](?:\.?\/)?([^/].*)$/.exec(line);
    if (match?.[2] === undefined || match[3] === undefined) {
      throw new KubeparcelError('format', `invalid line ${JSON.stringify(line.slice(0, 100))}`, { where: 'md5sums' });
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
    throw new KubeparcelError('format', 'the control file is not valid UTF-8', { where, cause });
  }
}
