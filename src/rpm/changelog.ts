import type { ChangelogEntry } from '../model/layout.ts';
import { type HeaderEntry, int32, stringArray } from './header.ts';
import { type Header, numbersOf, textsOf } from './read-header.ts';
import { TAGS } from './tags.ts';

const DAY = 24 * 60 * 60;
const NOON = DAY / 2;

/** Changelog tags. Like rpmbuild, dates are at noon UTC, so that every time zone shows the same day. */
export function changelogEntries(changelog: readonly ChangelogEntry[]): HeaderEntry[] {
  if (changelog.length === 0) {
    return [];
  }
  return [
    [TAGS.CHANGELOGTIME, int32(changelog.map(({ date }) => Math.floor(date / DAY) * DAY + NOON))],
    [TAGS.CHANGELOGNAME, stringArray(changelog.map(title))],
    [TAGS.CHANGELOGTEXT, stringArray(changelog.map(({ changes }) => changes.map((line) => `- ${line}`).join('\n')))],
  ];
}

export function readChangelog(header: Header): ChangelogEntry[] {
  const times = numbersOf(header, TAGS.CHANGELOGTIME) ?? [];
  const names = textsOf(header, TAGS.CHANGELOGNAME) ?? [];
  const texts = textsOf(header, TAGS.CHANGELOGTEXT) ?? [];
  return times.map((date, i) => ({ date, ...readTitle(names[i] ?? ''), changes: readChanges(texts[i] ?? '') }));
}

function title({ author, version }: ChangelogEntry): string {
  return version === '' ? author : `${author} - ${version}`;
}

/** `Name <address> - version`; some packages omit the dash or the version. */
function readTitle(name: string): { readonly author: string; readonly version: string } {
  const [, author, version] = /^(.*) - (\S+)$/.exec(name) ?? /^(.*>) +(\S+)$/.exec(name) ?? [];
  return author === undefined || version === undefined ? { author: name, version: '' } : { author, version };
}

/** One change per bullet; indented lines continue the previous one. */
function readChanges(text: string): string[] {
  const changes: string[] = [];
  for (const line of text === '' ? [] : text.split('\n')) {
    const last = changes.at(-1);
    if (last !== undefined && /^\s+\S/.test(line)) {
      changes[changes.length - 1] = `${last} ${line.trim()}`;
    } else {
      changes.push(line.replace(/^[-*] /, ''));
    }
  }
  return changes;
}
