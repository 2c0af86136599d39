import type { Content } from './content.ts';
import { contentSize } from './content.ts';
import type { Format, ScriptName } from './format.ts';
import type { PackageVersion } from './package-version.ts';
import type { Relation, RelationKind } from './relation.ts';

/**
 * The package model. A layout is the complete description of a package, in the same form for DEB and RPM. Names, paths
 * and the spelling of versions and architectures are chosen for the format when the layout is composed; the writers only
 * serialize it.
 */

/**
 * - plain: no special treatment
 * - config: kept if the administrator has edited it (DEB conffile, RPM `%config(noreplace)`)
 * - ghost: owned by the package but not in its payload (RPM `%ghost`; not used in DEBs)
 * - doc, license: RPM `%doc`, `%license`; in a DEB the files below /usr/share/doc (`copyright` is the license)
 */
export type EntryRole = 'plain' | 'config' | 'ghost' | 'doc' | 'license';

interface EntryBase {
  /** Absolute path on the host, `/`-separated, no `.`, `..`, doubled or trailing slash. */
  readonly path: string;
  /** Permission bits, 0 to 0o7777. */
  readonly mode: number;
  readonly owner: string;
  readonly group: string;
  /** Seconds since 1970-01-01 UTC, 0 to 2^32-1. */
  readonly mtime: number;
  readonly role: EntryRole;
}

export interface FileEntry extends EntryBase {
  readonly kind: 'file';
  readonly content: Content;
}
export interface DirectoryEntry extends EntryBase {
  readonly kind: 'directory';
}
export interface SymlinkEntry extends EntryBase {
  readonly kind: 'symlink';
  readonly target: string;
}
export type Entry = FileEntry | DirectoryEntry | SymlinkEntry;

export interface Script {
  /** Interpreter with its arguments: `/bin/sh`, `/bin/sh -e`, `<lua>`. In a DEB, the first line after `#!`. */
  readonly interpreter: string;
  /** Everything after the interpreter line. In an RPM it has no trailing newline: rpmbuild strips trailing whitespace. */
  readonly body: string;
}

export interface ChangelogEntry {
  /** Full version: [epoch:]upstream-revision. */
  readonly version: string;
  /** Seconds since 1970-01-01 UTC. */
  readonly date: number;
  /** `Name <address>` */
  readonly author: string;
  /** One line each, without a bullet. */
  readonly changes: readonly string[];
}

export interface Layout {
  readonly format: Format;
  readonly name: string;
  readonly version: PackageVersion;
  /** The name that the format uses: amd64, ppc64el, all; x86_64, ppc64le, noarch. */
  readonly architecture: string;
  /** One line without a period. */
  readonly summary: string;
  /** Paragraphs separated by empty lines; no trailing newline. */
  readonly description: string;
  /** SPDX expression. */
  readonly license: string;
  /** `Name <address>`; Maintainer in a DEB, Packager in an RPM. */
  readonly maintainer: string;
  readonly homepage: string;
  /** DEB section (`admin`), RPM group (`System Environment/Base`). */
  readonly section: string;
  /** Name of the source package. */
  readonly source: string;
  /** DEB only; undefined means `no`. */
  readonly multiArch?: 'foreign' | 'same' | 'allowed' | undefined;
  /** Build time in seconds since 1970-01-01 UTC. No entry may have a later mtime. */
  readonly date: number;
  readonly relations: Readonly<Record<RelationKind, readonly Relation[]>>;
  readonly scripts: Readonly<Partial<Record<ScriptName, Script>>>;
  /** Newest first. */
  readonly changelog: readonly ChangelogEntry[];
  /**
   * Sorted bytewise by path, each path once. A DEB lists every parent directory except `/` (dpkg only tracks directories
   * that are in the archive); an RPM lists only the directories that the package owns.
   */
  readonly entries: readonly Entry[];
}

/** Entries in bytewise order of their paths. */
export function sortByPath(entries: Iterable<Entry>): Entry[] {
  return [...entries]
    .map((entry) => ({ entry, key: Buffer.from(entry.path) }))
    .sort((a, b) => Buffer.compare(a.key, b.key))
    .map(({ entry }) => entry);
}

/** Total size of all file contents in bytes. */
export function payloadSize(layout: Layout): number {
  return layout.entries.reduce((sum, entry) => sum + (entry.kind === 'file' ? contentSize(entry.content) : 0), 0);
}
