import type { ChangelogEntry } from '../model/layout.ts';

/** debian/changelog as deb-changelog(5) has it, one entry after the other, ending in a newline. */
export function debianChangelog(source: string, entries: readonly ChangelogEntry[]): string {
  return entries
    .map(({ version, date, author, changes }) =>
      [
        `${source} (${version}) stable; urgency=medium`,
        '',
        ...changes.map((change) => `  * ${change}`),
        '',
        ` -- ${author}  ${mailDate(date)}`,
        '',
      ].join('\n'),
    )
    .join('\n');
}

/** RFC 5322, 3.3, in UTC and in English whatever the locale: Wed, 22 Apr 2026 00:00:00 +0000 */
function mailDate(seconds: number): string {
  return new Date(seconds * 1000).toUTCString().replace(/GMT$/, '+0000');
}
