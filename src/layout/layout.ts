/**
 * The one model of a package. A layout says everything that a package holds, the same for DEB and RPM; what differs
 * between the two worlds (names, paths, spellings of versions and architectures) is decided when the layout is made,
 * so that the writers decide nothing.
 */

export const FORMATS = ['deb', 'rpm'] as const;
export type Format = (typeof FORMATS)[number];

/** Content of a file by reference: small bytes are values, big bytes are objects of a content store. */
export type Content =
  | { readonly kind: 'memory'; readonly bytes: Uint8Array }
  /** `sha256`: 64 lower-case hex digits; `size`: bytes. */
  | { readonly kind: 'stored'; readonly sha256: string; readonly size: number };

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

/** Debian's words (deb-control(5)): << strictly earlier, >> strictly later. RPM writes < and > for them. */
export type Operator = '<<' | '<=' | '=' | '>=' | '>>';

export interface RelationTarget {
  /** A package, a virtual name, a path or soname (RPM); in the distribution's own spelling. */
  readonly name: string;
  /** `version` is in the format's spelling: [epoch:]upstream[-revision]. */
  readonly constraint?: { readonly operator: Operator; readonly version: string };
}

/** At least one target must hold. Several: `a | b` in a DEB, `(a or b)` in an RPM. */
export interface Relation {
  readonly anyOf: readonly RelationTarget[];
}

/** preDepends is RPM's `Requires(pre)`; replaces is RPM's Obsoletes; breaks exists in DEBs, supplements in RPMs only. */
export const RELATION_KINDS = [
  'preDepends',
  'depends',
  'recommends',
  'suggests',
  'enhances',
  'supplements',
  'conflicts',
  'breaks',
  'replaces',
  'provides',
] as const;
export type RelationKind = (typeof RELATION_KINDS)[number];

/** Maintainer scripts (deb-postinst(5) and its kin) and scriptlets (rpm-scriptlets(7)) by the name their format gives. */
export const SCRIPT_NAMES = {
  deb: ['preinst', 'postinst', 'prerm', 'postrm'],
  rpm: ['pretrans', 'pre', 'post', 'preun', 'postun', 'posttrans', 'preuntrans', 'postuntrans', 'verifyscript'],
} as const satisfies Record<Format, readonly string[]>;
export type ScriptName = (typeof SCRIPT_NAMES)[Format][number];

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

export interface PackageVersion {
  /** 0 when there is none. */
  readonly epoch: number;
  /** No `-`; pre-releases with `~` (1.37.0~rc.1), so that they sort before the release in both worlds. */
  readonly upstream: string;
  /** DEB revision, RPM release. */
  readonly revision: string;
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
   * Sorted by path, bytewise, each path once. A DEB lists every parent folder but `/` itself (dpkg keeps folders only
   * if the archive has them); an RPM lists only the folders that the package owns.
   */
  readonly entries: readonly Entry[];
}

/** Size in bytes of a file's content. */
export function contentSize(content: Content): number {
  return content.kind === 'memory' ? content.bytes.length : content.size;
}

/** Bytes of all file contents together. */
export function payloadSize(layout: Layout): number {
  return layout.entries.reduce((sum, entry) => sum + (entry.kind === 'file' ? contentSize(entry.content) : 0), 0);
}
