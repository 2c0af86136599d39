import type { ChangelogEntry } from '../model/layout.ts';

/** A changelog in the format of deb-changelog(5), with a trailing newline. */
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

/** RFC 5322, section 3.3, in UTC and English regardless of the locale: Wed, 22 Apr 2026 00:00:00 +0000 */
function mailDate(seconds: number): string {
  return new Date(seconds * 1000).toUTCString().replace(/GMT$/, '+0000');
}

/** All parent directories except the root: /usr/bin/kubelet -> /usr, /usr/bin. */
export function parentDirectories(path: string): string[] {
  const names = path.split('/').slice(1, -1);
  return names.map((_, index) => `/${names.slice(0, index + 1).join('/')}`);
}
