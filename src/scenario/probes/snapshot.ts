import { plural } from '../../support/plural.ts';
import { shellWord } from '../../support/shell-words.ts';
import type { Check } from '../model/checks.ts';
import { matchesGlob } from '../model/glob.ts';
import { MOUNT, NOTES } from '../model/host.ts';
import type { Finding } from '../model/text.ts';
import { NO_ANSWER, type Probe, type ProbeCommand, probeCommand } from './probe.ts';

/**
 * Paths that are never compared: virtual file systems, generated files (caches, logs, state of the dynamic loader and
 * systemd), and the runner's files.
 */
const IGNORED_PATHS = [
  '/dev',
  '/proc',
  '/run',
  '/sys',
  '/tmp',
  '/var/cache',
  '/var/log',
  '/var/tmp',
  '/var/lib/systemd/timers',
  '/var/lib/systemd/random-seed',
  '/var/lib/systemd/catalog',
  '/etc/ld.so.cache',
  '/etc/.updated',
  '/var/.updated',
  '/root/.cache',
  MOUNT,
];

/**
 * Lists files as NUL-terminated records: `PATH<TAB>type mode owner detail` in $1.files, `PATH<TAB>mtime` in $1.times. The
 * detail is the target of a link, or the size. Contents below 1 MiB are hashed (`HASH  PATH`); for larger files the time is
 * compared. Needs find(1) of findutils, and coreutils 8.25 or newer.
 */
const LIST = `list() {
  out=$1; shift
  [ "$#" -gt 0 ] || set -- /
  find "$@" \\( PRUNED \\) -prune -o \\
    \\( -type l -fprintf "$out.1" '%p\\t%y %m %u:%g %l\\0' -o -type d -fprintf "$out.2" '%p\\t%y %m %u:%g\\0' -o \\
       -type f -size +1023k -fprintf "$out.3" '%p\\t%y %m %u:%g %s %T@\\0' -o \\
       -fprintf "$out.4" '%p\\t%y %m %u:%g %s\\0' -type f -exec sha256sum --zero -- {} + \\) > "$out.5" 2>/dev/null || :
  LC_ALL=C sort --zero-terminated "$out".[12345] > "$out.files"
  find "$@" \\( PRUNED \\) -prune -o ! -type d -printf '%p\\t%TY-%Tm-%Td %TH:%TM:%.2TS\\0' 2>/dev/null | LC_ALL=C sort --zero-terminated > "$out.times"
  rm -f "$out".[12345]
}
`;

function listing(without: readonly string[]): string {
  const pruned = [...IGNORED_PATHS, ...without].map((path) => `-path ${shellWord(path)}`).join(' -o ');
  return LIST.replaceAll('PRUNED', () => pruned);
}

/**
 * Records the state of directories under a name, in the container.
 *
 * @param without additional paths to ignore: databases of package managers
 */
export function takeSnapshot(name: string, below: readonly string[], without: readonly string[]): ProbeCommand {
  const script = `set -e
umask 022
mkdir -p ${NOTES}/"$1"
name=$1; shift
${listing(without)}
for directory in "$@"; do printf '%s\\0' "$directory"; done > ${NOTES}/"$name"/below
list ${NOTES}/"$name"/then "$@"
`;
  return { command: ['sh', '-c', script, 'snapshot', name, ...below], timeout: 120 };
}

/** Compares the current state with a snapshot. */
export function probeSameFiles(check: Extract<Check, { verb: 'same-files' }>, without: readonly string[]): Probe {
  const name = check['same-files'];
  const kind = check.times ? 'files times' : 'files';
  const script = `set -e
cd ${NOTES}/"$1"
${listing(without)}
set --
while IFS= read -r directory; do set -- "$@" "$directory"; done <<END
$(tr '\\0' '\\n' < below)
END
list now "$@"
for kind in ${kind}; do LC_ALL=C comm -3 --zero-terminated then.$kind now.$kind; done
`;
  return {
    commands: [{ command: ['sh', '-c', script, 'compare', name], timeout: 120 }],
    evaluate: ([answer = NO_ANSWER]) => {
      if (answer.status !== 0) {
        return [
          {
            what: `files since ${name}`,
            expected: `a snapshot ${name}`,
            found: answer.stderr.trim() || 'none',
            ok: false,
          },
        ];
      }
      const differences = compareRecords(answer.stdout).filter(
        ({ path }) => !check.but.some((glob) => matchesGlob(glob, path)),
      );
      if (differences.length === 0) {
        return [{ what: `files since ${name}`, expected: 'the same', found: 'the same', ok: true }];
      }
      const more = differences.length - MAX_DIFFERENCES;
      return [
        ...differences
          .slice(0, MAX_DIFFERENCES)
          .map(({ path, before, after }): Finding => ({ what: path, expected: before, found: after, ok: false })),
        ...(more > 0
          ? [{ what: `files since ${name}`, expected: 'the same', found: plural(more, 'more difference'), ok: false }]
          : []),
      ];
    },
  };
}

/** Maximum number of differences that a report lists. */
const MAX_DIFFERENCES = 40;

interface Difference {
  readonly path: string;
  readonly before: string;
  readonly after: string;
}

/** Parses the output of comm -3 -z: old records at the start of the line, new ones after a tab. */
export function compareRecords(output: string): Difference[] {
  const paths = new Map<string, { before: string[]; after: string[] }>();
  for (const line of output.split('\0')) {
    if (line === '') continue;
    const later = line.startsWith('\t');
    const { path, text } = readRecord(later ? line.slice(1) : line);
    const texts = paths.get(path) ?? { before: [], after: [] };
    texts[later ? 'after' : 'before'].push(text);
    paths.set(path, texts);
  }
  const readable = (texts: readonly string[]) => texts.join(', ') || 'absent';
  return [...paths]
    .map(([path, { before, after }]) => ({ path, before: readable(before), after: readable(after) }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Matches no path and no hash. */
const DIVIDER = '//kubeparcel//';

/** All records that may belong to one path: old ones, a divider, new ones; see readRecords. */
export function recordsOf(path: string, name: string): ProbeCommand {
  const script = `cd ${NOTES}/"$2" && [ -e then.files ] || exit 3
${listing([])}
about() { LC_ALL=C grep --null-data --fixed-strings -e "$1\t" -e "  $1" "$2"; }
about "$1" then.files
printf '${DIVIDER}'
list one "$1"
about "$1" one.files
rm -f one.*
exit 0
`;
  return probeCommand('sh', '-c', script, 'records', path, name);
}

/** The output of recordsOf for exactly this path: type, mode, owner, contents; empty if absent. */
export function readRecords(path: string, output: string): { before: string; after: string } {
  const [before = '', after = ''] = output.split(DIVIDER);
  const texts = (block: string) =>
    block
      .split('\0')
      .map(readRecord)
      .filter((record) => record.path === path)
      .map(({ text }) => text)
      .join(', ');
  return { before: texts(before), after: texts(after) };
}

function readRecord(record: string): { path: string; text: string } {
  const hash = /^([0-9a-f]{64}) {2}([\s\S]*)$/.exec(record);
  const tab = record.lastIndexOf('\t');
  return hash?.[1] === undefined || hash[2] === undefined
    ? { path: record.slice(0, tab), text: record.slice(tab + 1) }
    : { path: hash[2], text: `sha256 ${hash[1].slice(0, 16)}` };
}
