import type { Format } from '../../model/format.ts';
import type { ChangelogEntry } from '../../model/layout.ts';
import type { Operator, Relation } from '../../model/relation.ts';

/** What indices, the closure gate and the site say of one package; kept by the digest of the package's file. */
export interface PackageRecord {
  readonly schema: typeof RECORD_SCHEMA;
  readonly format: Format;
  readonly name: string;
  /** [epoch:]upstream[-revision] in the format's spelling. */
  readonly version: string;
  /** In the format's words. */
  readonly architecture: string;
  /** Bytes of the file. */
  readonly size: number;
  readonly sha256: string;
  /** Bytes on a host. */
  readonly installedSize: number;
  /** Build time, seconds since 1970-01-01 UTC. */
  readonly date: number;
  readonly summary: string;
  readonly description: string;
  /** Newest first, ten at most. */
  readonly changelog: readonly ChangelogEntry[];
  /** What must be there for an installation: Pre-Depends and Depends; Requires. */
  readonly requires: readonly Relation[];
  readonly provides: readonly Provision[];
  /** The stanza of Packages without Filename, lines with their ends; '' for an RPM. */
  readonly stanza: string;
  /** Debian's section, '' where there is none. */
  readonly section: string;
  /** Absolute paths: all of an RPM; of a DEB what is not a directory, as Contents lists it. */
  readonly files: readonly string[];
  /** Elements of rpm-md; undefined for a DEB. */
  readonly xml: PackageXml | undefined;
}

/** `<package>` elements, the first of them without the `location` that goes between its two parts. */
export interface PackageXml {
  readonly primary: readonly [before: string, after: string];
  readonly filelists: string;
  readonly other: string;
}

/** To be raised when a record comes to say something else of the same package. */
export const RECORD_SCHEMA = 1;
export const CHANGELOG_LIMIT = 10;

/** What satisfies a relation: a package under its own name, or a name that a package or a distribution provides. */
export interface Provision {
  readonly name: string;
  /** In the format's spelling; undefined for a name provided without one. */
  readonly version: string | undefined;
  /** `=` but for an RPM's provide that says something else. */
  readonly operator?: Operator;
}

/** Of a whole file; digests in lower-case hex. */
export interface FileDigests {
  /** Bytes. */
  readonly size: number;
  readonly md5: string;
  readonly sha1: string;
  readonly sha256: string;
}
