import type { Format } from '../../model/format.ts';

/**
 * A repository is one directory that apt, dnf, yum and zypper read:
 *
 *     pool/k/kubelet/kubelet_1.36.4-1_amd64.deb          every package once, both formats
 *     core:/stable:/v1.36/deb/                           a minor of a channel: a flat repository, as at pkgs.k8s.io
 *         Packages{,.gz,.xz} Contents-amd64.gz by-hash/SHA256/ Release InRelease Release.gpg Release.key
 *         amd64/kubelet_1.36.4-1_amd64.deb               hard link into the pool
 *     core:/stable:/v1.36/rpm/
 *         repodata/ (repomd.xml repomd.xml.asc repomd.xml.key SHA256-primary.xml.gz ...)
 *         x86_64/kubelet-1.36.4-1.x86_64.rpm             hard link into the pool
 *     dists/stable/                                      all minors of a channel; Filename points into the pool
 *     rpm/stable/                                        all minors of a channel, laid out as for one minor
 *     index.json                                         list of views and packages, for programs and pages
 *     .kubeparcel/                                       internal: state, record cache, lock, journal
 *
 * `repodata` is a symbolic link to a directory `.repodata-HEX` next to it, which replaces repomd.xml and its signature
 * at once. Everything else is regular files and directories. To copy a repository, follow links and skip names that
 * begin with a dot.
 */

/** From least to most tested; packages are promoted in this direction. */
export const CHANNELS = ['nightly', 'testing', 'stable'] as const;
export type Channel = (typeof CHANNELS)[number];

/** A package repository that a client can be configured with. */
export interface View {
  readonly channel: Channel;
  /** Kubernetes minor, `1.36`; undefined for all minors together. */
  readonly minor: string | undefined;
  readonly format: Format;
}

/** The directory of a view's indices, relative to the repository. */
export function viewDirectory({ channel, minor, format }: View): string {
  if (minor !== undefined) return `core:/${channel}:/v${minor}/${format}`;
  return format === 'deb' ? `dists/${channel}` : `rpm/${channel}`;
}

/** The apt component of the views with all minors: `deb URL stable main`. */
export const COMPONENT = 'main';

/** Path of the armored public keys for a view's signatures. */
export function publicKeyPath(view: View): string {
  return `${viewDirectory(view)}/${publicKeyIn(view.format)}`;
}

/** Like `publicKeyPath`, relative to the view's directory. */
export function publicKeyIn(format: Format): string {
  return format === 'rpm' ? 'repodata/repomd.xml.key' : 'Release.key';
}

/** A package of the repository. */
export interface RepositoryPackage {
  readonly format: Format;
  readonly name: string;
  /** [epoch:]upstream[-revision] as the format writes it. */
  readonly version: string;
  /** As the format names it. */
  readonly architecture: string;
  /** File name. */
  readonly file: string;
  /** Bytes. */
  readonly size: number;
  /** 64 lower-case hex digits. */
  readonly sha256: string;
  /** Sorted Kubernetes minors by channel. A channel without the package has no entry. */
  readonly channels: Readonly<Partial<Record<Channel, readonly string[]>>>;
}

/** Path of a package in the pool; unique in a repository. */
export function poolPath({ name, file }: Pick<RepositoryPackage, 'name' | 'file'>): string {
  return `pool/${name.slice(0, 1).toLowerCase()}/${name}/${file}`;
}

/** Path of a package's hard link, relative to the view's directory. */
export function linkPath({ architecture, file }: Pick<RepositoryPackage, 'architecture' | 'file'>): string {
  return `${architecture}/${file}`;
}

/** Whether a view has hard links to its packages in its own directory; otherwise its index points into the pool. */
export function hasOwnLinks(view: Pick<View, 'format' | 'minor'>): boolean {
  return view.format === 'rpm' || view.minor !== undefined;
}

/** All views that contain a package, sorted by directory. */
export function viewsOf(packages: readonly RepositoryPackage[]): View[] {
  const views = new Map<string, View>();
  for (const { format, channels } of packages) {
    for (const channel of CHANNELS) {
      const minors = channels[channel];
      if (minors === undefined) continue;
      for (const minor of [undefined, ...minors]) {
        const view = { channel, minor, format };
        views.set(viewDirectory(view), view);
      }
    }
  }
  return [...views].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, view]) => view);
}

export function isInView({ format, channels }: RepositoryPackage, view: View): boolean {
  const minors = channels[view.channel];
  return format === view.format && minors !== undefined && (view.minor === undefined || minors.includes(view.minor));
}

/** The packages of a view, sorted by file name. */
export function packagesOf(view: View, packages: readonly RepositoryPackage[]): RepositoryPackage[] {
  return packages.filter((each) => isInView(each, view)).sort((a, b) => (a.file < b.file ? -1 : 1));
}

/** Settings stored with the repository. */
export interface RepositorySettings {
  /** `Origin` of Release files. */
  readonly origin: string;
  /** `Label` of Release files. */
  readonly label: string;
  /** Days from Date to Valid-Until in Release files; undefined for no Valid-Until. */
  readonly validDays: number | undefined;
  /** For primary, filelists and other. Every yum reads gz. */
  readonly rpmCompression: 'gz' | 'zst';
}

/** What the state records about a view. */
export interface ViewState extends View {
  /** Date of the indices and signatures, seconds since 1970-01-01 UTC. */
  readonly date: number;
  /** Digest of the view's content without date and signatures. A view is written again when it changes. */
  readonly content: string;
  /** Upper-case fingerprints of the keys that signed it; empty if unsigned. */
  readonly signedBy: readonly string[];
  /** All files of the view except packages, relative to its directory. */
  readonly files: readonly { readonly path: string; readonly size: number; readonly sha256: string }[];
  /** Files of earlier states, latest first, kept for clients that have read an older Release or repomd.xml. */
  readonly previous: readonly (readonly string[])[];
}

/** `.kubeparcel/state.json` */
export interface RepositoryState {
  readonly settings: RepositorySettings;
  /** Sorted by poolPath. */
  readonly packages: readonly RepositoryPackage[];
  /** Sorted by viewDirectory. */
  readonly views: readonly ViewState[];
}

export const STATE_DIRECTORY = '.kubeparcel';

/** Path of the lock for processes that change the repository or need it unchanged. */
export function lockPath(directory: string): string {
  return `${directory}/${STATE_DIRECTORY}/lock`;
}
