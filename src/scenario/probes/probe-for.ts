import type { Check } from '../model/checks.ts';
import { judgeText } from '../model/text.ts';
import { lookAtFile } from './file.ts';
import { lookAtConsistency, lookAtPackage } from './packages.ts';
import { type Look, type LookContext, NO_ANSWER } from './probe.ts';
import { lookAtSameFiles } from './snapshot.ts';
import { lookAtJournal, lookAtProcess, lookAtUnit } from './unit.ts';

/** How a check is looked at on a host. Pure. */
export function lookFor(check: Check, context: LookContext & { readonly without: readonly string[] }): Look {
  switch (check.verb) {
    case 'file':
      return lookAtFile(check);
    case 'unit':
      return lookAtUnit(check);
    case 'process':
      return lookAtProcess(check, context);
    case 'package':
      return lookAtPackage(check, context);
    case 'consistent':
      return lookAtConsistency(check, context);
    case 'journal':
      return lookAtJournal(check);
    case 'same-files':
      return lookAtSameFiles(check, context.without);
    case 'command':
      return lookAtCommand(check);
  }
}

function lookAtCommand({
  command,
  status,
  stdout,
  stderr,
  environment,
  user,
}: Extract<Check, { verb: 'command' }>): Look {
  return {
    asks: [
      {
        command,
        ...(environment === undefined ? {} : { environment }),
        ...(user === undefined ? {} : { user }),
      },
    ],
    judge: ([answer = NO_ANSWER]) => [
      {
        what: 'status',
        expected: String(status),
        found: answer.status === status ? String(status) : `${answer.status}\n${answer.stderr.trim()}`.trim(),
        ok: answer.status === status,
      },
      ...judgeText('standard output', stdout, answer.stdout),
      ...judgeText('standard error', stderr, answer.stderr),
    ],
  };
}
