import type { ChangelogEntry } from '../model/layout.ts';

/** Possible paths of the changelog (Debian policy 12.7): with a Debian revision, and of a native package. */
export function changelogPaths(packageName: string): string[] {
  return ['changelog.Debian.gz', 'changelog.gz'].map((file) => `/usr/share/doc/${packageName}/${file}`);
}

/**
 * Parses a deb-changelog(5). A change that spans several lines becomes one line. Changelogs are often written by hand:
 * parsing stops without an error at the first line that does not match the format.
 */
export function parseDebChangelog(text: string): ChangelogEntry[] {
  const entries: ChangelogEntry[] = [];
  let version: string | undefined;
  let changes: string[] = [];
  for (const line of text.split('\n')) {
    const heading = /^\S+ \(([^()\s]+)\) [^;]+;/.exec(line);
    const trailer = /^ -- (.*?) {2}(\S.*)$/.exec(line);
    const change = /^ {2,}(\S.*)$/.exec(line)?.[1]?.trimEnd();
    if (version === undefined && heading?.[1] !== undefined) {
      version = heading[1];
      changes = [];
    } else if (version !== undefined && trailer?.[1] !== undefined && trailer[2] !== undefined) {
      const date = Date.parse(trailer[2]) / 1000;
      if (Number.isNaN(date)) {
        return entries;
      }
      entries.push({ version, date, author: trailer[1], changes });
      version = undefined;
    } else if (version !== undefined && change !== undefined) {
      addChange(changes, change, line);
    } else if (line.trim() !== '') {
      return entries;
    }
  }
  return entries;
}

function addChange(changes: string[], change: string, line: string): void {
  const last = changes.length - 1;
  if (line.startsWith('  * ')) {
    changes.push(change.slice(2));
  } else if (/^ {2}\S/.test(line) || last < 0) {
    changes.push(change);
  } else {
    changes[last] = `${changes[last]} ${change}`;
  }
}

/**
 * The license of `Files: *` in a machine-readable copyright file (copyright-format 1.0); '' for any other copyright file.
 */
export function parseFilesLicense(text: string): string {
  if (!/^Format:/im.test(text.slice(0, text.indexOf('\n\n') + 1 || text.length))) {
    return '';
  }
  const paragraph = text.split(/\n(?:[ \t]*\n)+/).find((part) => /^Files:[ \t]*\*[ \t]*$/im.test(part));
  return /^License:[ \t]*(\S.*)$/im.exec(paragraph ?? '')?.[1]?.trimEnd() ?? '';
}
