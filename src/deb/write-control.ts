import { contentSize } from '../model/content.ts';
import { SCRIPT_NAMES } from '../model/format.ts';
import type { Entry, Layout } from '../model/layout.ts';
import { formatVersion } from '../model/package-version.ts';
import { formatRelation, type RelationKind } from '../model/relation.ts';
import { type ControlFields, foldDescription, formatControl, RELATION_FIELDS } from './control-file.ts';

/** A file in DEBIAN/ or control.tar. */
export interface ControlMember {
  readonly name: string;
  readonly mode: number;
  readonly bytes: Uint8Array;
}

/**
 * The control files of a package (deb(5), deb-control(5), deb-md5sums(5), deb-conffiles(5)), sorted by name. Like
 * dh_md5sums, md5sums leaves out conffiles: dpkg records their digests itself.
 *
 * @param md5 maps a file's path to the MD5 of its content in hex
 */
export function controlMembers(layout: Layout, md5: (path: string) => string): ControlMember[] {
  const files = layout.entries.filter((entry) => entry.kind === 'file');
  const conffiles = files.filter(({ role }) => role === 'config').map(({ path }) => `${path}\n`);
  const sums = files.filter(({ role }) => role !== 'config').map(({ path }) => md5Line(md5(path), path.slice(1)));
  const texts: [name: string, mode: number, text: string][] = [
    ['control', 0o644, formatControl(controlFields(layout))],
    ['md5sums', 0o644, sums.join('')],
    ['conffiles', 0o644, conffiles.join('')],
    ...SCRIPT_NAMES.deb.map((name): [string, number, string] => {
      const script = layout.scripts[name];
      return [name, 0o755, script === undefined ? '' : `#!${script.interpreter}\n${script.body}`];
    }),
  ];
  return texts
    .filter(([, , text]) => text !== '')
    .map(([name, mode, text]) => ({ name, mode, bytes: Buffer.from(text) }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** As written by md5sum(1): a line whose name contains backslashes is escaped and begins with a backslash. */
function md5Line(sum: string, path: string): string {
  return path.includes('\\') ? `\\${sum}  ${path.replaceAll('\\', '\\\\')}\n` : `${sum}  ${path}\n`;
}

function controlFields(layout: Layout): ControlFields {
  const relations = RELATION_FIELDS.map(([field, kind]): [string, string] => [field, relationField(layout, kind)]);
  const fields: [name: string, value: string][] = [
    ['Package', layout.name],
    ['Source', layout.source === layout.name ? '' : layout.source],
    ['Version', formatVersion(layout.version)],
    ['Architecture', layout.architecture],
    ['Maintainer', layout.maintainer],
    ['Installed-Size', String(installedSize(layout.entries))],
    ...relations,
    ['Section', layout.section],
    ['Priority', 'optional'],
    ['Multi-Arch', layout.multiArch ?? ''],
    ['Homepage', layout.homepage],
    ['Description', foldDescription(layout.summary, layout.description)],
  ];
  return fields.filter(([, value]) => value !== '');
}

function relationField(layout: Layout, kind: RelationKind): string {
  return layout.relations[kind].map(formatRelation).join(', ');
}

/** In KiB, as computed by dpkg-gencontrol (deb-substvars(5)): file sizes rounded up, 1 for every other entry and the root. */
function installedSize(entries: readonly Entry[]): number {
  return entries.reduce(
    (sum, entry) => sum + (entry.kind === 'file' ? Math.ceil(contentSize(entry.content) / 1024) : 1),
    1,
  );
}
