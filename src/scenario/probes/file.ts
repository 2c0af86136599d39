import type { Check } from '../model/checks.ts';
import { compareText, compareValue, type Finding } from '../model/text.ts';
import { NO_ANSWER, type Probe, probeCommand } from './probe.ts';
import { readRecords, recordsOf } from './snapshot.ts';

/** File types as printed by stat(1). */
const KINDS: Readonly<Record<string, string>> = {
  'regular file': 'file',
  'regular empty file': 'file',
  'symbolic link': 'symlink',
};

/** Type, mode, owner and contents of a path. Links are followed for `text` only. */
export function probeFile(check: Extract<Check, { verb: 'file' }>): Probe {
  const { file: path } = check;
  const since = check['unchanged-since'];
  const stat = probeCommand('stat', '--format=%F|%a|%U:%G', '--', path);
  const extra = [
    ...(check.target === undefined ? [] : [probeCommand('readlink', '--', path)]),
    ...(check.text === undefined ? [] : [probeCommand('cat', '--', path)]),
    ...(since === undefined ? [] : [recordsOf(path, since)]),
  ];
  return {
    commands: [stat, ...extra],
    evaluate: ([stated = NO_ANSWER, ...answers]) => {
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
          expected: check.exists ? 'present' : 'absent',
          found: exists ? `${KINDS[kind] ?? kind}, ${mode.padStart(4, '0')}, ${owner}` : 'absent',
          ok: exists === check.exists,
        });
      }
      if (since !== undefined) findings.push(compareWithSnapshot(path, since, records.stdout, records.status));
      if (!exists) return findings;
      return [
        ...findings,
        ...compareValue(`type of ${path}`, check.type, KINDS[kind] ?? kind),
        ...compareValue(`mode of ${path}`, check.mode?.padStart(4, '0'), mode.padStart(4, '0')),
        ...compareValue(`owner of ${path}`, check.owner, owner),
        ...compareValue(`target of ${path}`, check.target, target.stdout.trimEnd()),
        ...compareText(`text of ${path}`, check.text, text.stdout),
      ];
    },
  };
}

function compareWithSnapshot(path: string, since: string, output: string, status: number): Finding {
  const { before, after } = readRecords(path, output);
  return {
    what: `${path} since ${since}`,
    expected: status === 0 ? before || 'absent' : `a snapshot ${since}`,
    found: status === 0 ? after || 'absent' : 'no such snapshot',
    ok: status === 0 && before === after,
  };
}
