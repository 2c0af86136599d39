import { posix } from 'node:path';
import type { Condition, ContentRule, PackageDefinition } from '../catalog/package-schema.ts';
import type { Target } from '../catalog/targets.ts';
import { gzipSmall } from '../compress/codecs/gzip.ts';
import type { Content } from '../model/content.ts';
import type { Format } from '../model/format.ts';
import {
  type DirectoryEntry,
  type Entry,
  type EntryRole,
  type FileEntry,
  type SymlinkEntry,
  sortByPath,
} from '../model/layout.ts';
import type { PayloadFile } from '../model/payload.ts';
import { KubeparcelError } from '../support/errors.ts';
import { expandPath, type Paths } from './compose-paths.ts';
import { parentDirectories } from './documents.ts';
import type { TemplateSet, TemplateValues } from './templates.ts';

interface EntriesInput {
  readonly definition: PackageDefinition;
  readonly target: Target;
  /** Payload files of the package's component. */
  readonly files: readonly PayloadFile[];
  readonly paths: Paths;
  readonly templates: TemplateSet;
  readonly values: TemplateValues;
  /** Whether rules with `when: kernel` apply. */
  readonly kernel: boolean;
  /** kubelet-confgen for the package's architecture; if undefined, rules with `when: confgen` do not apply. */
  readonly confgen: Uint8Array | undefined;
  readonly debianChangelog: string;
  readonly date: number;
}

/** The sorted entries of a package, with the documents required by the format and, in a DEB, all parent directories. */
export function composeEntries(input: EntriesInput): Entry[] {
  const { definition, target } = input;
  const stated = [
    ...definition.contents.flatMap((rule) => ruleEntries(rule, input)),
    ...(target.format === 'deb' ? debDocuments(input) : rpmDocuments(input)),
  ];
  const entries = new Map(stated.map((entry) => [entry.path, entry]));
  if (entries.size < stated.length) {
    const duplicate = stated.find((entry, index) => stated.findIndex(({ path }) => path === entry.path) < index);
    throw new KubeparcelError('config', `package ${definition.name} contains ${duplicate?.path} twice`, {
      hint: 'fix its contents in packaging/packages',
    });
  }
  if (target.format === 'deb') {
    for (const path of stated.flatMap((entry) => parentDirectories(entry.path))) {
      if (!entries.has(path)) entries.set(path, directory(path, input));
    }
  } else {
    const documents = `/usr/share/doc/${definition.name}`;
    if (stated.some(({ path }) => path.startsWith(`${documents}/`))) {
      entries.set(documents, directory(documents, input));
    }
    rejectSystemDirectories(entries, input);
  }
  return sortByPath(entries.values());
}

function ruleEntries(rule: ContentRule, input: EntriesInput): Entry[] {
  const { files, paths, templates, values } = input;
  if ('when' in rule && !applies(rule.when, input)) return [];
  if ('directory' in rule) {
    return [directory(expandPath(rule.directory, paths), input)];
  }
  if ('link' in rule) {
    return [symlink(expandPath(rule.link, paths), expandPath(rule.to, paths), input)];
  }
  if ('template' in rule) {
    const path = expandPath(rule.path, paths);
    const rendered = templates.render(rule.template, values);
    // Debian policy 12.1 requires compressed manual pages; rpmbuild also compresses them.
    return path.endsWith('.gz')
      ? [file(path, 0o644, { kind: 'memory', bytes: gzipSmall(new TextEncoder().encode(rendered)) }, input)]
      : [text(path, rendered, input)];
  }
  if ('program' in rule) {
    const { confgen: bytes } = input;
    return bytes === undefined ? [] : [file(expandPath(rule.path, paths), 0o755, { kind: 'memory', bytes }, input)];
  }
  if ('payload-executables' in rule) {
    const directory = expandPath(rule['payload-executables'], paths);
    const executables = files.filter((each) => each.executable);
    if (executables.length === 0) {
      throw missing('executables', input);
    }
    return executables.map((each) => stored(`${directory}/${each.name}`, each, input));
  }
  const found = files.find((each) => each.name === rule.payload);
  if (found === undefined && !rule.optional) {
    throw missing(rule.payload, input);
  }
  return found === undefined ? [] : [stored(expandPath(rule.path, paths), found, input)];
}

function applies(condition: Condition | undefined, { kernel, confgen }: EntriesInput): boolean {
  return condition === undefined || (condition === 'kernel' ? kernel : confgen !== undefined);
}

/** Debian policy 12.5 and 12.7. Licenses in /usr/share/common-licenses are only referenced. */
function debDocuments(input: EntriesInput): Entry[] {
  const { definition, templates, values, debianChangelog } = input;
  const directory = `/usr/share/doc/${definition.name}`;
  const changelog = gzipSmall(new TextEncoder().encode(debianChangelog));
  return [
    file(`${directory}/changelog.Debian.gz`, 0o644, { kind: 'memory', bytes: changelog }, input),
    { ...text(`${directory}/copyright`, templates.render('copyright', values), input), role: 'license' },
  ];
}

/** The license file of the payload, or the Apache license. */
function rpmDocuments(input: EntriesInput): Entry[] {
  const { definition, files, templates, values } = input;
  const documents = `/usr/share/licenses/${definition.name}`;
  const path = `${documents}/LICENSE`;
  const own = files.find((each) => each.name === 'LICENSE');
  return [
    directory(documents, input),
    own === undefined ? text(path, templates.render('LICENSE', values), input) : stored(path, own, input),
    ...(values.generator === ''
      ? []
      : [text(`${path}.kubelet-confgen`, templates.render('LICENSE.kubelet-confgen', values), input)]),
  ];
}

function stored(path: string, { sha256, size, executable }: PayloadFile, input: EntriesInput): FileEntry {
  return file(path, executable ? 0o755 : 0o644, { kind: 'stored', sha256, size }, input);
}

function text(path: string, content: string, input: EntriesInput): FileEntry {
  return file(path, 0o644, { kind: 'memory', bytes: new TextEncoder().encode(content) }, input);
}

function file(path: string, mode: number, content: Content, { date, target }: EntriesInput): FileEntry {
  const role = roleOf(path, target.format);
  return { kind: 'file', path, mode, owner: 'root', group: 'root', mtime: date, role, content };
}

/** Debian policy 10.5: relative within a top-level directory, otherwise absolute. */
function symlink(path: string, to: string, { date }: EntriesInput): SymlinkEntry {
  const target = path.split('/')[1] === to.split('/')[1] ? posix.relative(posix.dirname(path), to) : to;
  return { kind: 'symlink', path, mode: 0o777, owner: 'root', group: 'root', mtime: date, role: 'plain', target };
}

function directory(path: string, { date }: EntriesInput): DirectoryEntry {
  return { kind: 'directory', path, mode: 0o755, owner: 'root', group: 'root', mtime: date, role: 'plain' };
}

/** Debian policy 10.7.2 and the FHS: files in /etc are configuration files. */
function roleOf(path: string, format: Format): EntryRole {
  if (path.startsWith('/etc/')) return 'config';
  // rpmbuild's __docdir_path includes the manual pages.
  if (format === 'rpm' && path.startsWith('/usr/share/man/')) return 'doc';
  if (path.startsWith('/usr/share/doc/')) return 'doc';
  return path.startsWith('/usr/share/licenses/') ? 'license' : 'plain';
}

function rejectSystemDirectories(entries: ReadonlyMap<string, Entry>, { definition, target }: EntriesInput): void {
  for (const { id, systemDirectories } of target.distributions) {
    const path = systemDirectories.find((each) => entries.has(each));
    if (path !== undefined) {
      throw new KubeparcelError(
        'config',
        `package ${definition.name} would own ${path}, which belongs to the base system of ${id}`,
        {
          hint: 'remove the directory from the contents in packaging/packages',
        },
      );
    }
  }
}

function missing(what: string, { definition }: EntriesInput): KubeparcelError {
  return new KubeparcelError('format', `the payload of ${definition.component} contains no ${what}`, {
    where: `package ${definition.name}`,
    hint: 'check the source of this release and the contents of the package in packaging/packages',
  });
}
