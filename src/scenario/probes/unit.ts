import type { Check } from '../model/checks.ts';
import { compareText, compareValue, type Finding } from '../model/text.ts';
import { type Answer, NO_ANSWER, type Probe, type ProbeCommand, type ProbeContext, probeCommand } from './probe.ts';

/** State of a unit: systemctl(1). */
export function probeUnit(check: Extract<Check, { verb: 'unit' }>): Probe {
  const { unit } = check;
  const properties = ['ActiveState', 'SubState', 'LoadState', 'NeedDaemonReload', 'DropInPaths', 'Result'];
  return {
    commands: [
      probeCommand('systemctl', 'show', `--property=${properties.join(',')}`, '--', unit),
      ...(check.enabled === undefined ? [] : [probeCommand('systemctl', 'is-enabled', '--', unit)]),
      ...(check.cat === undefined ? [] : [probeCommand('systemctl', 'cat', '--no-pager', '--', unit)]),
    ],
    evaluate: ([shown = NO_ANSWER, ...answers]) => {
      const rest = [...answers];
      const value = propertiesOf(shown.stdout);
      const enabled = check.enabled === undefined ? NO_ANSWER : (rest.shift() ?? NO_ANSWER);
      const cat = check.cat === undefined ? NO_ANSWER : (rest.shift() ?? NO_ANSWER);
      const needsReload = check['needs-reload'];
      const findings = [
        ...compareValue(`load state of ${unit}`, check.load, value('LoadState')),
        ...compareActiveState(unit, check.active, value),
        // Older systemd prints nothing on standard output for a missing unit.
        ...compareValue(`${unit} enabled`, check.enabled, enabled.stdout.trim() || 'not-found'),
        ...compareValue(
          `drop-ins of ${unit}`,
          check['drop-ins']?.join('\n'),
          value('DropInPaths').split(' ').join('\n'),
        ),
        ...compareValue(
          `${unit} needs daemon-reload`,
          needsReload === undefined ? undefined : needsReload ? 'yes' : 'no',
          value('NeedDaemonReload'),
        ),
        ...compareText(`systemctl cat ${unit}`, check.cat, cat.stdout || cat.stderr),
      ];
      return findings.length > 0 ? findings : compareValue(`load state of ${unit}`, 'loaded', value('LoadState'));
    },
  };
}

function compareActiveState(unit: string, expected: string | undefined, value: (name: string) => string): Finding[] {
  if (expected === undefined) return [];
  const state = value('ActiveState');
  const found = `${state} (${value('SubState')}${value('Result') === 'success' ? '' : `, ${value('Result')}`})`;
  return [{ what: `state of ${unit}`, expected, found, ok: state === expected }];
}

function propertiesOf(text: string): (name: string) => string {
  const values = new Map(
    text.split('\n').map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)] as const),
  );
  return (name) => values.get(name) ?? '';
}

const MAIN_PROCESS = `pid=$(systemctl show --property=MainPID --value -- "$1") || exit
[ "$pid" -gt 0 ] || { echo "no main process: $(systemctl show --property=ActiveState --value -- "$1")" >&2; exit 3; }
printf '%s %s\\n' "$pid" "$(systemctl show --property=ExecMainStartTimestampMonotonic --value -- "$1")"
systemctl show --property=ExecStart --value -- "$1" | sed -n '1s/^{ path=\\([^ ;]*\\).*/\\1/p'
cat "/proc/$pid/cmdline" && printf '\\n\\0' && cat "/proc/$pid/environ"
`;

/** The main process of a unit: PID, start time, program, arguments and environment (proc(5)). */
export function mainProcessCommand(unit: string): ProbeCommand {
  return probeCommand('sh', '-c', MAIN_PROCESS, 'main-process', unit);
}

interface MainProcess {
  /** PID and start time, which identify a process. */
  readonly identity: string;
  /** Starts with the program, without an interpreter. */
  readonly arguments: readonly string[];
  readonly environment: ReadonlyMap<string, string>;
}

/** Undefined if the unit has no main process, or if systemd is just starting it. */
export function readMainProcess({ status, stdout }: Answer): MainProcess | undefined {
  if (status !== 0) return undefined;
  const [identity = '', program = ''] = stdout.split('\n', 2);
  const [commandLine = '', environment = ''] = stdout.slice(identity.length + program.length + 2).split('\n\0');
  const words = commandLine.replace(/\0$/, '').split('\0');
  const start = words.indexOf(program);
  return {
    identity,
    arguments: start === 1 || start === 2 ? words.slice(start) : words,
    environment: new Map(
      environment
        .split('\0')
        .filter((variable) => variable.includes('='))
        .map((variable) => [variable.slice(0, variable.indexOf('=')), variable.slice(variable.indexOf('=') + 1)]),
    ),
  };
}

/** Arguments and environment of the main process, and whether it is the recorded process. */
export function probeProcess(
  check: Extract<Check, { verb: 'process' }>,
  { processes }: Pick<ProbeContext, 'processes'>,
): Probe {
  const { process: unit } = check;
  return {
    commands: [mainProcessCommand(unit)],
    evaluate: ([answer = NO_ANSWER]) => {
      const found = readMainProcess(answer);
      if (found === undefined) {
        const reason = answer.stderr.trim() || 'no main process';
        return [{ what: `main process of ${unit}`, expected: 'a running process', found: reason, ok: false }];
      }
      const end = check['arguments-end'];
      const list = (words: readonly string[] | undefined) => words?.map((word) => JSON.stringify(word)).join('\n');
      return [
        {
          what: `main process of ${unit}`,
          expected: 'a running process',
          found: `PID ${found.identity.split(' ')[0]}`,
          ok: true,
        },
        ...compareValue(`arguments of ${unit}`, list(check.arguments), list(found.arguments) ?? ''),
        ...compareValue(`last arguments of ${unit}`, list(end), list(found.arguments.slice(-(end?.length ?? 0))) ?? ''),
        ...compareText(`command line of ${unit}`, check['command-line'], found.arguments.join(' ')),
        ...Object.entries(check.environment ?? {}).map(([name, value]) => ({
          what: `${name} in the environment of ${unit}`,
          expected: value ?? 'absent',
          found: found.environment.get(name) ?? 'absent',
          ok: found.environment.get(name) === (value ?? undefined),
        })),
        ...compareIdentity(unit, 'the same as', check['same-as'], found.identity, processes, true),
        ...compareIdentity(unit, 'different from', check['restarted-since'], found.identity, processes, false),
      ];
    },
  };
}

function compareIdentity(
  unit: string,
  words: string,
  name: string | undefined,
  identity: string,
  processes: ReadonlyMap<string, string>,
  same: boolean,
): Finding[] {
  if (name === undefined) return [];
  const before = processes.get(name);
  return [
    {
      what: `main process of ${unit}`,
      expected: `${words} ${name}${before === undefined ? '' : ` (PID ${before.split(' ')[0]})`}`,
      found: before === undefined ? `no process was recorded as ${name}` : `PID ${identity.split(' ')[0]}`,
      ok: before !== undefined && (before === identity) === same,
    },
  ];
}

/** Journal of a unit since boot: journalctl(1). */
export function probeJournal(check: Extract<Check, { verb: 'journal' }>): Probe {
  return {
    commands: [probeCommand('journalctl', '--boot', '--no-pager', '--output=cat', `--unit=${check.journal}`)],
    evaluate: ([answer = NO_ANSWER]) => compareText(`journal of ${check.journal}`, check.text, answer.stdout),
  };
}
