import type { Check } from '../model/checks.ts';
import { compareText } from '../model/text.ts';
import { probeFile } from './file.ts';
import { probeConsistency, probePackage } from './packages.ts';
import { NO_ANSWER, type Probe, type ProbeContext } from './probe.ts';
import { probeSameFiles } from './snapshot.ts';
import { probeJournal, probeProcess, probeUnit } from './unit.ts';

/** The probe of a check on a host. Pure. */
export function probeFor(check: Check, context: ProbeContext & { readonly without: readonly string[] }): Probe {
  switch (check.verb) {
    case 'file':
      return probeFile(check);
    case 'unit':
      return probeUnit(check);
    case 'process':
      return probeProcess(check, context);
    case 'package':
      return probePackage(check, context);
    case 'consistent':
      return probeConsistency(check, context);
    case 'journal':
      return probeJournal(check);
    case 'same-files':
      return probeSameFiles(check, context.without);
    case 'command':
      return probeCommand(check);
  }
}

function probeCommand({
  command,
  status,
  stdout,
  stderr,
  environment,
  user,
}: Extract<Check, { verb: 'command' }>): Probe {
  return {
    commands: [
      {
        command,
        ...(environment === undefined ? {} : { environment }),
        ...(user === undefined ? {} : { user }),
      },
    ],
    evaluate: ([answer = NO_ANSWER]) => [
      {
        what: 'status',
        expected: String(status),
        found: answer.status === status ? String(status) : `${answer.status}\n${answer.stderr.trim()}`.trim(),
        ok: answer.status === status,
      },
      ...compareText('standard output', stdout, answer.stdout),
      ...compareText('standard error', stderr, answer.stderr),
    ],
  };
}
