import { compareDebVersions } from '../../deb/version.ts';
import { goArchitecture } from '../../model/architecture.ts';
import type { Format } from '../../model/format.ts';
import { compareEvr } from '../../rpm/version.ts';
import type { RepositoryIndex } from '../model/index-file.ts';
import type { PackageRecord } from '../model/record.ts';
import { CHANNELS, type Channel, type RepositoryPackage } from '../model/repository.ts';

/** A version of a package in a minor, with all its files. */
export interface SiteVersion {
  readonly version: string;
  /** Build date of the newest file, seconds since 1970-01-01 UTC. */
  readonly date: number;
  readonly summary: string;
  readonly files: readonly SiteFile[];
  readonly changelog: PackageRecord['changelog'];
}

export interface SiteFile {
  readonly format: Format;
  readonly architecture: string;
  /** Bytes. */
  readonly size: number;
  /** Relative to the repository. */
  readonly path: string;
  readonly sha256: string;
}

export interface SitePackage {
  readonly name: string;
  readonly summary: string;
  /** Newest first. */
  readonly versions: readonly SiteVersion[];
}

export interface SiteMinor {
  readonly channel: Channel;
  readonly minor: string;
  /** Newest version of the kubelet, or of the first package. */
  readonly newest: string;
  readonly formats: readonly Format[];
  /** GOARCH names. */
  readonly architectures: readonly string[];
  /** Total bytes of all files. */
  readonly size: number;
  /** Build date of the newest package, seconds since 1970-01-01 UTC. */
  readonly date: number;
  readonly packages: readonly SitePackage[];
}

/** Content of the pages. */
export interface SiteModel {
  readonly origin: string;
  /** Non-empty channels, stable first. Minors newest first. */
  readonly channels: readonly { readonly channel: Channel; readonly minors: readonly SiteMinor[] }[];
}

/** @param records by SHA-256; a package without a record has no date, summary and changelog */
export function siteModel(index: RepositoryIndex, records: ReadonlyMap<string, PackageRecord>): SiteModel {
  return {
    origin: index.origin,
    channels: [...CHANNELS].reverse().flatMap((channel) => {
      const minors = new Set(index.packages.flatMap(({ channels }) => channels[channel] ?? []));
      const sorted = [...minors].sort((a, b) => compareEvr(b, a));
      return sorted.length === 0
        ? []
        : [{ channel, minors: sorted.map((minor) => siteMinor(index, records, channel, minor)) }];
    }),
  };
}

type Listed = RepositoryIndex['packages'][number];

function siteMinor(
  index: RepositoryIndex,
  records: ReadonlyMap<string, PackageRecord>,
  channel: Channel,
  minor: string,
): SiteMinor {
  const listed = index.packages.filter(({ channels }) => channels[channel]?.includes(minor));
  const names = [...new Set(listed.map(({ name }) => name))].sort();
  const packages = names.map((name) =>
    sitePackage(
      listed.filter((each) => each.name === name),
      name,
      records,
    ),
  );
  const main = packages.find(({ name }) => name === 'kubelet') ?? packages[0];
  return {
    channel,
    minor,
    newest: main?.versions[0]?.version ?? '',
    formats: [...new Set(listed.map(({ format }) => format))].sort(),
    architectures: [...new Set(listed.map(({ architecture }) => goArchitecture(architecture)))]
      .filter((architecture) => architecture !== 'all' && architecture !== 'noarch')
      .sort(),
    size: listed.reduce((sum, { size }) => sum + size, 0),
    date: Math.max(0, ...packages.flatMap(({ versions }) => versions.map(({ date }) => date))),
    packages,
  };
}

function sitePackage(
  listed: readonly Listed[],
  name: string,
  records: ReadonlyMap<string, PackageRecord>,
): SitePackage {
  const versions = [...new Set(listed.map(({ version }) => version))]
    .sort((a, b) => compareVersions(listed[0], b, a))
    .map((version): SiteVersion => {
      const same = listed.filter((each) => each.version === version);
      const known = same.flatMap(({ sha256 }) => records.get(sha256) ?? []);
      return {
        version,
        date: Math.max(0, ...known.map(({ date }) => date)),
        summary: known[0]?.summary ?? '',
        files: same
          .map(({ format, architecture, size, path, sha256 }) => ({ format, architecture, size, path, sha256 }))
          .sort((a, b) => (a.path < b.path ? -1 : 1)),
        changelog: known.find(({ changelog }) => changelog.length > 0)?.changelog ?? [],
      };
    });
  return { name, summary: versions[0]?.summary ?? '', versions };
}

function compareVersions(like: Pick<RepositoryPackage, 'format'> | undefined, a: string, b: string): number {
  return like?.format === 'deb' ? compareDebVersions(a, b) : compareEvr(a, b);
}
