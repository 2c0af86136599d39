import type { Format } from '../../model/format.ts';

/**
 * A repository is one directory that apt and dnf, yum and zypper read:
 *
 *     pool/k/kubelet/kubelet_1.36.4-1_amd64.deb          every package once, both formats
 *     core:/stable:/v1.36/deb/                           a minor of a channel, flat, as at pkgs.k8s.io
 *         Packages{,.gz,.xz} Contents-amd64.gz by-hash/SHA256/ Release InRelease Release.gpg Release.key
 *         amd64/kubelet_1.36.4-1_amd64.deb               hard link into the pool
 *     core:/stable:/v1.36/rpm/
 *         repodata/ (repomd.xml repomd.xml.asc repomd.xml.key SHA256-primary.xml.gz ...)
 *         x86_64/kubelet-1.36.4-1.x86_64.rpm             hard link into the pool
 *     dists/stable/                                      a channel with all its minors; its packages are the pool's
 *     rpm/stable/                                        the same for RPM, as a minor's
 *     index.json                                         what there is, for programs and pages
 *     .kubeparcel/                                       the repository's own: state, cache, lock, unfinished work
 *
 * `repodata` is a symbolic link to a directory `.repodata-HEX` beside it: the one way to replace two files (repomd.xml and
 * its signature) at once. All else is files and directories. Who copies a repository follows links and leaves out names that
 * begin with a dot.
 */

/** From the least tested to the one that everybody uses; `promote` goes this way. */
export const CHANNELS = ['nightly', 'testing', 'stable'] as const;
export type Channel = (typeof CHANNELS)[number];

/** A package repository as a client is pointed at it. */
export interface View {
  readonly channel: Channel;
  /** Kubernetes' minor, `1.36`; undefined for all minors together. */
  readonly minor: string | undefined;
  readonly format: Format;
}

/** Where a view's indices are, relative to the repository. */
export function viewDirectory({ channel, minor, format }: View): string {
  if (minor !== undefined) return `core:/${channel}:/v${minor}/${format}`;
  return format === 'deb' ? `dists/${channel}` : `rpm/${channel}`;
}

/** What apt calls the component of a channel with all its minors: `deb URL stable main`. */
export const COMPONENT = 'main';

/** The armored public keys with which a view's signatures are checked. */
export function publicKeyPath(view: View): string {
  return `${viewDirectory(view)}/${publicKeyIn(view.format)}`;
}

/** The same, relative to the view's directory. */
export function publicKeyIn(format: Format): string {
  return format === 'rpm' ? 'repodata/repomd.xml.key' : 'Release.key';
}

/** Path of a package in a repository, which no other package may have. */
export function poolPath({ name, file }: Pick<RepositoryPackage, 'name' | 'file'>): string {
  return `pool/${name.slice(0, 1).toLowerCase()}/${name}/${file}`;
}

/** A package of the repository. */
export interface RepositoryPackage {
  readonly format: Format;
  readonly name: string;
  /** [epoch:]upstream[-revision] in the format's spelling. */
  readonly version: string;
  /** In the format's words. */
  readonly architecture: string;
  /** The file's name. */
  readonly file: string;
  /** Bytes. */
  readonly size: number;
  /** 64 lower-case hex digits. */
  readonly sha256: string;
  /** Kubernetes' minors that it is offered with, sorted, by channel; a channel that does not have it has no entry. */
  readonly channels: Readonly<Partial<Record<Channel, readonly string[]>>>;
}

/** What a repository is made with; kept with it. */
export interface RepositorySettings {
  /** `Origin` of Release files. */
  readonly origin: string;
  /** `Label` of Release files. */
  readonly label: string;
  /** Days that Release files are valid, from their date on; undefined for ever. */
  readonly validDays: number | undefined;
  /** Of primary, filelists and other: gz is what every yum reads. */
  readonly rpmCompression: 'gz' | 'zst';
}

/** The files of a view that its pointer leads to, by what `verify` and clean-up must know. */
export interface ViewState extends View {
  /** Seconds since 1970-01-01 UTC: of the pointer and its signature. */
  readonly date: number;
  /** Of what the view says, without date and signatures: a view is written anew when it changes. */
  readonly content: string;
  /** Upper-case hex of the keys that signed it; empty for an unsigned one. */
  readonly signedBy: readonly string[];
  /** Everything of the current state, relative to the view's directory, without packages. */
  readonly files: readonly { readonly path: string; readonly size: number; readonly sha256: string }[];
  /** Files of the states before, the latest first: clients that have read an old pointer still ask for them. */
  readonly previous: readonly (readonly string[])[];
}

/** `.kubeparcel/state.json` */
export interface RepositoryState {
  readonly settings: RepositorySettings;
  /** By poolPath. */
  readonly packages: readonly RepositoryPackage[];
  /** By viewDirectory. */
  readonly views: readonly ViewState[];
}

export const STATE_DIRECTORY = '.kubeparcel';

/** The lock that every process holds which changes a repository or must not see it change. */
export function lockPath(directory: string): string {
  return `${directory}/${STATE_DIRECTORY}/lock`;
}

export const INDEX_FILE = 'index.json';

/** A view as `index.json` lists it. */
export interface IndexedView {
  readonly channel: Channel;
  readonly minor: string | null;
  readonly format: Format;
  /** The key keeps its first name: published repositories have it. */
  readonly folder: string;
  /** Count of packages. */
  readonly packages: number;
  readonly date: number;
}

/** `index.json` */
export interface RepositoryIndex {
  readonly schema: 1;
  readonly origin: string;
  /** Upper-case hex of the keys that signed. */
  readonly keys: readonly string[];
  readonly views: readonly IndexedView[];
  /** `path` is in the pool. */
  readonly packages: readonly (RepositoryPackage & { readonly path: string })[];
}

/**
 * - missing: an index or the state names a file that is not there
 * - changed: a file has another digest or size than what names it says
 * - signature: a signature does not hold, or is not there
 * - index: an index that cannot be read, or says something else than the state
 * - expired: Valid-Until is over
 * - left-over: a file that nothing names
 * - link: a package that is a second copy instead of a hard link; costs space only
 * - note: worth knowing, and no fault
 */
export type FindingKind = 'missing' | 'changed' | 'signature' | 'index' | 'expired' | 'left-over' | 'link' | 'note';

/** Something that is not as it must be, or worth knowing. */
export interface Finding {
  readonly kind: FindingKind;
  /** Relative to the repository. */
  readonly path: string;
  /** One sentence, no full stop. */
  readonly what: string;
}

/** Whether a repository with this finding is not to be used. */
export function isFault({ kind }: Finding): boolean {
  return kind !== 'link' && kind !== 'note';
}

/** What `verify` found; a repository may be published when no finding is a fault. */
export interface VerifyReport {
  /** By path. */
  readonly findings: readonly Finding[];
  readonly packages: number;
  readonly views: number;
  /** Indices and the like that were read. */
  readonly files: number;
  /** Fingerprints of the keys whose signatures hold. */
  readonly keys: readonly string[];
  /** Whether the keys are the repository's own, which proves that it is whole, not whose it is. */
  readonly ownKeys: boolean;
}

/** Each finding once, by path. */
export function sortedFindings(findings: readonly Finding[]): Finding[] {
  return [...findings]
    .sort((a, b) => (a.path === b.path ? (a.what < b.what ? -1 : 1) : a.path < b.path ? -1 : 1))
    .filter((each, at, all) => each.path !== all[at - 1]?.path || each.what !== all[at - 1]?.what);
}
