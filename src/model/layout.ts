import type { Content } from './content.ts';
import { contentSize } from './content.ts';
import type { Format, ScriptName } from './format.ts';
import type { PackageVersion } from './package-version.ts';
import type { Relation, RelationKind } from './relation.ts';
/**
 * The one model of a package. A layout says everything that a package holds, the same for DEB and RPM; what differs
 * between the two worlds (names, paths, spellings of versions and architectures) is decided when the layout is made,
 * so that the writers decide nothing.
 */

/**
 * - plain: nothing special
 * - config: kept when the administrator has edited it: a DEB conffile, an RPM `%config(noreplace)`
 * - ghost: belongs to the package without being in its payload (RPM `%ghost`; a DEB layout has none)
 * - doc, licence: RPM `%doc`, `%license`; in a DEB what stands below /usr/share/doc (`copyright` is the licence)
 */
export type EntryRole = 'plain' | 'config' | 'ghost' | 'doc' | 'licence';

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
  /** What runs it, with its arguments: `/bin/sh`, `/bin/sh -e`, `<lua>`. A DEB's first line is `#!` and this. */
  readonly interpreter: string;
  /** Everything after the interpreter line. An RPM's ends without a line break, since rpmbuild drops blanks there. */
  readonly body: string;
}

export interface ChangelogEntry {
  /** Full version: [epoch:]upstream-revision. */
  readonly version: string;
  /** Seconds since 1970-01-01 UTC. */
  readonly date: number;
  /** `Name <address>` */
  readonly author: string;
  /** One line each, no leading bullet. */
  readonly changes: readonly string[];
}

export interface Layout {
  readonly format: Format;
  readonly name: string;
  readonly version: PackageVersion;
  /** In the format's own words: amd64, ppc64el, all; x86_64, ppc64le, noarch. */
  readonly architecture: string;
  /** One line, no full stop. */
  readonly summary: string;
  /** Paragraphs separated by an empty line; no trailing newline. */
  readonly description: string;
  /** SPDX expression. */
  readonly licence: string;
  /** `Name <address>`: Maintainer in a DEB, Packager in an RPM. */
  readonly maintainer: string;
  readonly homepage: string;
  /** DEB section (`admin`), RPM group (`System Environment/Base`). */
  readonly section: string;
  /** Source package's name (DEB) or the stem of the source RPM. */
  readonly source: string;
  /** DEB only; absent means `no`. */
  readonly multiArch?: 'foreign' | 'same' | 'allowed';
  /** Build time that the package states, seconds since 1970-01-01 UTC; also the newest mtime it may hold. */
  readonly date: number;
  readonly relations: Readonly<Record<RelationKind, readonly Relation[]>>;
  readonly scripts: Readonly<Partial<Record<ScriptName, Script>>>;
  /** Newest first. */
  readonly changelog: readonly ChangelogEntry[];
  /**
   * Sorted by path, bytewise, each path once. A DEB lists every parent directory but `/` itself (dpkg keeps directories only
   * if the archive has them); an RPM lists only the directories that the package owns.
   */
  readonly entries: readonly Entry[];
}

/** Bytes of all file contents together. */
export function payloadSize(layout: Layout): number {
  return layout.entries.reduce((sum, entry) => sum + (entry.kind === 'file' ? contentSize(entry.content) : 0), 0);
}
