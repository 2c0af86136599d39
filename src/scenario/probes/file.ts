import type { Check } from '../model/checks.ts';
import { type Finding, judgeText, judgeValue } from '../model/text.ts';
import { ask, type Look, NO_ANSWER } from './probe.ts';
import { readRecords, recordsOf } from './snapshot.ts';

/** stat(1)'s words for kinds. */
const KINDS: Readonly<Record<string, string>> = {
  'regular file': 'file',
  'regular empty file': 'file',
  'symbolic link': 'symlink',
};

/** Kind, mode, owner and contents of a path; links are not followed, but for `text`. */
export function lookAtFile(check: Extract<Check, { verb: 'file' }>): Look {
  const { file: path } = check;
  const since = check['unchanged-since'];
  const stat = ask('stat', '--format=%F|%a|%U:%G', '--', path);
  const extra = [
    ...(check.target === undefined ? [] : [ask('readlink', '--', path)]),
    ...(check.text === undefined ? [] : [ask('cat', '--', path)]),
    ...(since === undefined ? [] : [recordsOf(path, since)]),
  ];
  return {
    asks: [stat, ...extra],
    judge: ([stated = NO_ANSWER, ...answers]) => {
      const rest = [...answers];
      const exists = stated.status === 0;
      const [kind = '', mode = '', owner = ''] = stated.stdout.trim().split('|');
      const target = check.target === undefined ? NO_ANSWER : (rest.shift() ?? NO_ANSWER);
      const text = check.text === undefined ? NO_ANSWER : (rest.shift() ?? NO_ANSWER);
      const records = since === undefined ? NO_ANSWER : (rest.shift() ?? NO_ANSWER);
      const findings: Finding[] = [];
      if (since === undefined || check.exists === false) {
        findings.push({
          what: path,
          expected: check.exists ? 'is there' : 'is not there',
          found: exists ? `${KINDS[kind] ?? kind}, ${mode.padStart(4, '0')}, ${owner}` : 'is not there',
          ok: exists === check.exists,
        });
      }
      if (since !== undefined) findings.push(judgeRecords(path, since, records.stdout, records.status));
      if (!exists) return findings;
      return [
        ...findings,
        ...judgeValue(`kind of ${path}`, check.type, KINDS[kind] ?? kind),
        ...judgeValue(`mode of ${path}`, check.mode?.padStart(4, '0'), mode.padStart(4, '0')),
        ...judgeValue(`owner of ${path}`, check.owner, owner),
        ...judgeValue(`target of ${path}`, check.target, target.stdout.trimEnd()),
        ...judgeText(`text of ${path}`, check.text, text.stdout),
      ];
    },
  };
}

function judgeRecords(path: string, since: string, output: string, status: number): Finding {
  const { before, after } = readRecords(path, output);
  return {
    what: `${path} since ${since}`,
    expected: status === 0 ? before || 'is not there' : `a snapshot ${since}`,
    found: status === 0 ? after || 'is not there' : 'no such snapshot',
    ok: status === 0 && before === after,
  };
}
