import { goArchitecture } from '../model/architecture.ts';
import { contentSha256, contentSize } from '../model/content.ts';
import type { ChangelogEntry, Entry, Layout } from '../model/layout.ts';
import { formatVersion } from '../model/package-version.ts';
import { formatRelation, RELATION_KINDS } from '../model/relation.ts';

export interface Difference {
  /** What differs: `version`, `depends`, `/usr/bin/kubelet mode`. */
  readonly what: string;
  /** Value in the first package; undefined if it has none. */
  readonly left: string | undefined;
  readonly right: string | undefined;
}

/**
 * All differences between two layouts in the order of the model; empty if they describe the same package. Contents are
 * compared by digest. If the formats differ, only what both can represent is compared: architecture names are translated;
 * directories and roles that only one format records are ignored.
 */
export function diffLayouts(left: Layout, right: Layout): Difference[] {
  const crossFormat = left.format !== right.format;
  const [a, b] = crossFormat ? [comparable(left, right), comparable(right, left)] : [left, right];
  const facts = crossFormat ? sharedFacts : allFacts;
  return [
    ...diffFacts(facts(a), facts(b)),
    ...RELATION_KINDS.flatMap((kind) =>
      diffSets(kind, a.relations[kind].map(formatRelation), b.relations[kind].map(formatRelation)),
    ),
    ...diffEntries(a.entries, b.entries, crossFormat),
  ];
}

type Fact = readonly [what: string, value: string];

function sharedFacts(layout: Layout): Fact[] {
  return [
    ['name', layout.name],
    ['version', formatVersion(layout.version)],
    ['architecture', layout.architecture],
    ['summary', layout.summary],
    ['description', layout.description],
    ['maintainer', layout.maintainer],
    ['homepage', layout.homepage],
  ];
}

function allFacts(layout: Layout): Fact[] {
  const scripts = Object.entries(layout.scripts).sort(([a], [b]) => (a < b ? -1 : 1));
  return [
    ...sharedFacts(layout),
    ['license', layout.license],
    ['section', layout.section],
    ['source', layout.source],
    ['multiArch', layout.multiArch ?? 'no'],
    ['date', String(layout.date)],
    ['changelog', layout.changelog.map(formatChangelogEntry).join('\n')],
    ...scripts.map(([name, script]): Fact => [`script ${name}`, `#!${script?.interpreter}\n${script?.body}`]),
  ];
}

function formatChangelogEntry({ version, date, author, changes }: ChangelogEntry): string {
  return JSON.stringify([version, date, author, ...changes]);
}

function diffFacts(left: Fact[], right: Fact[]): Difference[] {
  const a = new Map(left);
  const b = new Map(right);
  return [...new Set([...a.keys(), ...b.keys()])]
    .filter((what) => a.get(what) !== b.get(what))
    .map((what) => ({ what, left: a.get(what), right: b.get(what) }));
}

function diffSets(what: string, left: readonly string[], right: readonly string[]): Difference[] {
  const a = new Set(left);
  const b = new Set(right);
  return [
    ...left.filter((item) => !b.has(item)).map((item) => ({ what, left: item, right: undefined })),
    ...right.filter((item) => !a.has(item)).map((item) => ({ what, left: undefined, right: item })),
  ];
}

function diffEntries(left: readonly Entry[], right: readonly Entry[], crossFormat: boolean): Difference[] {
  const a = new Map(left.map((entry) => [entry.path, entry]));
  const b = new Map(right.map((entry) => [entry.path, entry]));
  const paths = [...new Set([...a.keys(), ...b.keys()])].sort((x, y) => (x < y ? -1 : 1));
  return paths.flatMap((path) => {
    const x = a.get(path);
    const y = b.get(path);
    if (x === undefined || y === undefined) {
      return [{ what: path, left: x && describeEntry(x), right: y && describeEntry(y) }];
    }
    return diffFacts(entryFacts(x, crossFormat), entryFacts(y, crossFormat)).map((difference) => ({
      ...difference,
      what: `${path} ${difference.what}`,
    }));
  });
}

function entryFacts(entry: Entry, crossFormat: boolean): Fact[] {
  return [
    ['kind', entry.kind],
    ['mode', entry.mode.toString(8).padStart(4, '0')],
    ['owner', `${entry.owner}:${entry.group}`],
    ...(crossFormat ? [] : ([['mtime', String(entry.mtime)]] as const)),
    ...(crossFormat && entry.role !== 'config' ? [] : ([['role', entry.role]] as const)),
    ...(entry.kind === 'symlink' ? ([['target', entry.target]] as const) : []),
    ...(entry.kind === 'file' && entry.role !== 'ghost'
      ? ([['content', `${contentSha256(entry.content)}, ${contentSize(entry.content)} bytes`]] as const)
      : []),
  ];
}

function describeEntry(entry: Entry): string {
  return `${entry.kind} ${entry.mode.toString(8).padStart(4, '0')} ${entry.owner}:${entry.group}`;
}

/** The part of a layout that the other format can also represent. */
function comparable(layout: Layout, other: Layout): Layout {
  const others = new Set(other.entries.map((entry) => entry.path));
  return {
    ...layout,
    architecture: goArchitecture(layout.architecture),
    entries: layout.entries.filter((entry) => entry.kind !== 'directory' || others.has(entry.path)),
  };
}
