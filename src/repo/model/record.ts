import type { Format } from '../../model/format.ts';
import type { ChangelogEntry } from '../../model/layout.ts';
import type { Operator, Relation } from '../../model/relation.ts';

/** What indices, the closure check and the site need to know about a package. Cached by the digest of the file. */
export interface PackageRecord {
  readonly schema: typeof RECORD_SCHEMA;
  readonly format: Format;
  readonly name: string;
  /** [epoch:]upstream[-revision] as the format writes it. */
  readonly version: string;
  /** As the format names it. */
  readonly architecture: string;
  /** Size of the file in bytes. */
  readonly size: number;
  readonly sha256: string;
  /** Bytes. */
  readonly installedSize: number;
  /** Build time, seconds since 1970-01-01 UTC. */
  readonly date: number;
  readonly summary: string;
  readonly description: string;
  /** Newest first, at most CHANGELOG_LIMIT entries. */
  readonly changelog: readonly ChangelogEntry[];
  /** DEB: Pre-Depends and Depends; RPM: Requires. */
  readonly requires: readonly Relation[];
  readonly provides: readonly Provision[];
  /** DEB: the stanza for Packages without Filename; '' for an RPM. */
  readonly stanza: string;
  /** DEB: the section, if any; '' for an RPM. */
  readonly section: string;
  /** Absolute paths. RPM: all files; DEB: all files except directories, as in Contents. */
  readonly files: readonly string[];
  /** RPM: elements of rpm-md; undefined for a DEB. */
  readonly xml: PackageXml | undefined;
}

/** `<package>` elements of the three rpm-md documents. `location` goes between the two parts of `primary`. */
export interface PackageXml {
  readonly primary: readonly [before: string, after: string];
  readonly filelists: string;
  readonly other: string;
}

/** Increase when the record of the same package changes. */
export const RECORD_SCHEMA = 1;
export const CHANGELOG_LIMIT = 10;

/** What satisfies a relation: a package's name or a name provided by a package or distribution. */
export interface Provision {
  readonly name: string;
  /** As the format writes it; undefined for an unversioned name. */
  readonly version: string | undefined;
  /** Default `=`; an RPM may provide a range. */
  readonly operator?: Operator | undefined;
}

/** Size and digests of a whole file. */
export interface FileDigests {
  /** Bytes. */
  readonly size: number;
  /** Lower-case hex, like the others. */
  readonly md5: string;
  readonly sha1: string;
  readonly sha256: string;
}
