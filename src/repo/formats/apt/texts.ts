import type { PackageRecord } from '../../model/record.ts';

/** A package in Packages. `filename`: relative to the root of the repository. */
export interface Listed {
  readonly record: PackageRecord;
  readonly filename: string;
}

/** Packages (deb822(5); wiki.debian.org/DebianRepository/Format, "Packages Indices"): stanzas, each followed by an empty line. */
export function packagesText(listed: readonly Listed[]): string {
  return listed
    .map(({ record, filename }) => {
      const at = record.stanza.indexOf('\nSize: ') + 1;
      return `${record.stanza.slice(0, at)}Filename: ${filename}\n${record.stanza.slice(at)}\n`;
    })
    .join('');
}

/** Contents (wiki.debian.org/DebianRepository/Format, "Contents indices"): paths and the packages that contain them. */
export function contentsText(records: readonly PackageRecord[]): string {
  const owners = new Map<string, Set<string>>();
  for (const { files, name, section } of records) {
    const owner = section === '' ? name : `${section}/${name}`;
    for (const file of files) {
      // The format cannot represent a line feed.
      const path = file.slice(1).replaceAll('\n', '\\n');
      const known = owners.get(path);
      if (known === undefined) owners.set(path, new Set([owner]));
      else known.add(owner);
    }
  }
  return [...owners]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([path, names]) => `${path.padEnd(59)} ${[...names].sort().join(',')}\n`)
    .join('');
}

export interface ReleaseFacts {
  readonly origin: string;
  readonly label: string;
  readonly suite: string;
  readonly codename: string;
  /** Seconds since 1970-01-01 UTC. */
  readonly date: number;
  readonly validDays: number | undefined;
  readonly architectures: readonly string[];
  /** Empty for a flat repository. */
  readonly components: readonly string[];
  readonly description: string;
  /** Relative to the Release file. */
  readonly files: readonly { readonly path: string; readonly size: number; readonly sha256: string }[];
}

const DAY = 24 * 60 * 60;

/** Release (wiki.debian.org/DebianRepository/Format, "Release files"). apt 1.1 and later uses only SHA-256. */
export function releaseText(facts: ReleaseFacts): string {
  const lines = [
    `Origin: ${facts.origin}`,
    `Label: ${facts.label}`,
    `Suite: ${facts.suite}`,
    `Codename: ${facts.codename}`,
    `Date: ${debianDate(facts.date)}`,
    ...(facts.validDays === undefined ? [] : [`Valid-Until: ${debianDate(facts.date + facts.validDays * DAY)}`]),
    `Architectures: ${facts.architectures.join(' ')}`,
    ...(facts.components.length === 0 ? [] : [`Components: ${facts.components.join(' ')}`]),
    `Description: ${facts.description}`,
    'Acquire-By-Hash: yes',
    'SHA256:',
    ...facts.files.map(({ path, size, sha256 }) => ` ${sha256} ${String(size).padStart(10)} ${path}`),
  ];
  return `${lines.join('\n')}\n`;
}

/** RFC 5322 date in UTC, the only zone that old apt accepts: Mon, 23 Nov 2026 01:24:02 UTC */
function debianDate(seconds: number): string {
  return new Date(seconds * 1000).toUTCString().replace('GMT', 'UTC');
}
