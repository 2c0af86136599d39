import type { Format } from '../../model/format.ts';
import type { Check } from '../model/checks.ts';
import { type Finding, judgeValue } from '../model/text.ts';
import { type Answer, ask, type Look, type LookContext, NO_ANSWER } from './probe.ts';

// biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg-query fills these in.
const DPKG_FORMAT = '${db:Status-Abbrev}|${Version}\\n';

/** Whether a package is installed, in which version and state: dpkg-query(1), rpm(8). */
export function lookAtPackage(check: Extract<Check, { verb: 'package' }>, context: LookContext): Look {
  const { package: name, from } = check;
  const isDeb = context.host.distribution.format === 'deb';
  return {
    asks: [
      isDeb
        ? ask('dpkg-query', '--show', `--showformat=${DPKG_FORMAT}`, name)
        : ask('rpm', '--query', '--queryformat=%{VERSION}-%{RELEASE}\\n', name),
    ],
    judge: ([answer = NO_ANSWER]) => {
      const [state = '', version = ''] = isDeb
        ? answer.stdout.trim().split('|')
        : ['', answer.stdout.trim().split('\n').join(' and ')];
      const installed = answer.status === 0 && (!isDeb || state[1] === 'i');
      const words = installed ? version : 'is not installed';
      return [
        {
          what: name,
          expected: check.installed ? 'is installed' : 'is not installed',
          found: isDeb && answer.status === 0 ? `${words} (${state.trim()})` : words,
          ok: installed === check.installed,
        },
        ...judgeValue(`version of ${name}`, check.version, words),
        ...(from === undefined ? [] : judgeValue(`version of ${name}`, context.versionIn(from, name), words)),
        ...(isDeb ? judgeValue(`state of ${name}`, check.state, state.replaceAll(' ', '') || 'un') : []),
      ];
    },
  };
}

/** Whether the package manager is content with some packages, their relations and files. */
export function lookAtConsistency(check: Extract<Check, { verb: 'consistent' }>, context: LookContext): Look {
  const names = context.names(check.consistent);
  const audits =
    context.host.distribution.format === 'deb'
      ? [ask('dpkg', '--audit', ...names), ask('apt-get', '--quiet', 'check'), ask('dpkg', '--verify', ...names)]
      : [ask('rpm', '--verify', ...names)];
  return {
    asks: audits,
    judge: (answers) =>
      audits.map(({ command }, index) => {
        const complaints = complaintsOf(context.host.distribution.format, command, answers[index] ?? NO_ANSWER);
        return {
          what: command.slice(0, 2).join(' '),
          expected: 'no complaint',
          found: complaints.join('\n') || 'no complaint',
          ok: complaints.length === 0,
        } satisfies Finding;
      }),
  };
}

/** Documentation may be left out on purpose (dpkg's path-exclude, rpm's nodocs). */
const DOCUMENTATION = /\/usr\/share\/(doc|man|locale|info|licenses)\//;

function complaintsOf(format: Format, command: readonly string[], { status, stdout, stderr }: Answer): string[] {
  const lines = stdout.split('\n').filter((line) => line.trim() !== '');
  if (!command.includes('--verify')) {
    if (command[0] === 'dpkg') return status === 0 ? lines : [...lines, stderr.trim()];
    return status === 0 ? [] : [stderr.trim() || stdout.trim()];
  }
  // Results of nine characters, or `missing`, then what kind of file it is: c is configuration, g a ghost.
  const counted = lines.filter((line) => !/^(\S{9}|missing) +[cg] /.test(line) && !DOCUMENTATION.test(line));
  if (format === 'deb') return counted;
  // Status 1 where there is any line; more is rpm's own trouble, which it tells on standard error.
  return counted.length === 0 && status > 1 ? [stderr.trim() || `status ${status}`] : counted;
}
