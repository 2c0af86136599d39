import type { Format } from '../../model/format.ts';
import type { Check } from '../model/checks.ts';
import { compareValue, type Finding } from '../model/text.ts';
import { type Answer, NO_ANSWER, type Probe, type ProbeContext, probeCommand } from './probe.ts';

// biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg-query fills these in.
const DPKG_FORMAT = '${db:Status-Abbrev}|${Version}\\n';

/** Installation, version and state of a package: dpkg-query(1), rpm(8). */
export function probePackage(check: Extract<Check, { verb: 'package' }>, context: ProbeContext): Probe {
  const { package: name, from } = check;
  const isDeb = context.host.distribution.format === 'deb';
  return {
    commands: [
      isDeb
        ? probeCommand('dpkg-query', '--show', `--showformat=${DPKG_FORMAT}`, name)
        : probeCommand('rpm', '--query', '--queryformat=%{VERSION}-%{RELEASE}\\n', name),
    ],
    evaluate: ([answer = NO_ANSWER]) => {
      const [state = '', version = ''] = isDeb
        ? answer.stdout.trim().split('|')
        : ['', answer.stdout.trim().split('\n').join(' and ')];
      const installed = answer.status === 0 && (!isDeb || state[1] === 'i');
      const words = installed ? version : 'not installed';
      return [
        {
          what: name,
          expected: check.installed ? 'installed' : 'not installed',
          found: isDeb && answer.status === 0 ? `${words} (${state.trim()})` : words,
          ok: installed === check.installed,
        },
        ...compareValue(`version of ${name}`, check.version, words),
        ...(from === undefined ? [] : compareValue(`version of ${name}`, context.versionIn(from, name), words)),
        ...(isDeb ? compareValue(`state of ${name}`, check.state, state.replaceAll(' ', '') || 'un') : []),
      ];
    },
  };
}

/** Whether the package manager finds problems with packages, their relations and files. */
export function probeConsistency(check: Extract<Check, { verb: 'consistent' }>, context: ProbeContext): Probe {
  const names = context.names(check.consistent);
  const audits =
    context.host.distribution.format === 'deb'
      ? [
          probeCommand('dpkg', '--audit', ...names),
          probeCommand('apt-get', '--quiet', 'check'),
          probeCommand('dpkg', '--verify', ...names),
        ]
      : [probeCommand('rpm', '--verify', ...names)];
  return {
    commands: audits,
    evaluate: (answers) =>
      audits.map(({ command }, index) => {
        const problems = problemsOf(context.host.distribution.format, command, answers[index] ?? NO_ANSWER);
        return {
          what: command.slice(0, 2).join(' '),
          expected: 'no complaint',
          found: problems.join('\n') || 'no complaint',
          ok: problems.length === 0,
        } satisfies Finding;
      }),
  };
}

/** Documentation may be excluded on purpose (dpkg's path-exclude, rpm's nodocs). */
const DOCUMENTATION = /\/usr\/share\/(doc|man|locale|info|licenses)\//;

function problemsOf(format: Format, command: readonly string[], { status, stdout, stderr }: Answer): string[] {
  const lines = stdout.split('\n').filter((line) => line.trim() !== '');
  if (!command.includes('--verify')) {
    if (command[0] === 'dpkg') return status === 0 ? lines : [...lines, stderr.trim()];
    return status === 0 ? [] : [stderr.trim() || stdout.trim()];
  }
  // Nine result characters or `missing`, then the file type: c for configuration, g for ghost.
  const counted = lines.filter((line) => !/^(\S{9}|missing) +[cg] /.test(line) && !DOCUMENTATION.test(line));
  if (format === 'deb') return counted;
  // Status 1 means that there is output; a higher status is an error of rpm, reported on standard error.
  return counted.length === 0 && status > 1 ? [stderr.trim() || `status ${status}`] : counted;
}
