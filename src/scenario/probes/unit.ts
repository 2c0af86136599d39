import type { Check } from '../model/checks.ts';
import { type Finding, judgeText, judgeValue } from '../model/text.ts';
import { type Answer, type Ask, ask, type Look, type LookContext, NO_ANSWER } from './probe.ts';

/** What systemd knows of a unit: systemctl(1). */
export function lookAtUnit(check: Extract<Check, { verb: 'unit' }>): Look {
  const { unit } = check;
  const properties = ['ActiveState', 'SubState', 'LoadState', 'NeedDaemonReload', 'DropInPaths', 'Result'];
  return {
    asks: [
      ask('systemctl', 'show', `--property=${properties.join(',')}`, '--', unit),
      ...(check.enabled === undefined ? [] : [ask('systemctl', 'is-enabled', '--', unit)]),
      ...(check.cat === undefined ? [] : [ask('systemctl', 'cat', '--no-pager', '--', unit)]),
    ],
    judge: ([shown = NO_ANSWER, ...answers]) => {
      const rest = [...answers];
      const value = propertiesOf(shown.stdout);
      const enabled = check.enabled === undefined ? NO_ANSWER : (rest.shift() ?? NO_ANSWER);
      const cat = check.cat === undefined ? NO_ANSWER : (rest.shift() ?? NO_ANSWER);
      const needsReload = check['needs-reload'];
      const findings = [
        ...judgeValue(`load state of ${unit}`, check.load, value('LoadState')),
        ...judgeActive(unit, check.active, value),
        // Older systemd says nothing on standard output for a unit that is not there.
        ...judgeValue(`${unit} enabled`, check.enabled, enabled.stdout.trim() || 'not-found'),
        ...judgeValue(`drop-ins of ${unit}`, check['drop-ins']?.join('\n'), value('DropInPaths').split(' ').join('\n')),
        ...judgeValue(
          `${unit} needs daemon-reload`,
          needsReload === undefined ? undefined : needsReload ? 'yes' : 'no',
          value('NeedDaemonReload'),
        ),
        ...judgeText(`systemctl cat ${unit}`, check.cat, cat.stdout || cat.stderr),
      ];
      return findings.length > 0 ? findings : judgeValue(`load state of ${unit}`, 'loaded', value('LoadState'));
    },
  };
}

function judgeActive(unit: string, expected: string | undefined, value: (name: string) => string): Finding[] {
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

/** The main process of a unit: its number and start, the program, its arguments and environment (proc(5)). */
export function askMainProcess(unit: string): Ask {
  return ask('sh', '-c', MAIN_PROCESS, 'main-process', unit);
}

interface MainProcess {
  /** Number and time of start; no two processes have both the same. */
  readonly identity: string;
  /** The program first, without an interpreter in front of it. */
  readonly arguments: readonly string[];
  readonly environment: ReadonlyMap<string, string>;
}

/** Undefined where the unit has none, or where systemd was just about to start it. */
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

/** What the main process of a unit was started with, and whether it is another one than before. */
export function lookAtProcess(
  check: Extract<Check, { verb: 'process' }>,
  { processes }: Pick<LookContext, 'processes'>,
): Look {
  const { process: unit } = check;
  return {
    asks: [askMainProcess(unit)],
    judge: ([answer = NO_ANSWER]) => {
      const found = readMainProcess(answer);
      if (found === undefined) {
        const reason = answer.stderr.trim() || 'no main process';
        return [{ what: `main process of ${unit}`, expected: 'one that runs', found: reason, ok: false }];
      }
      const end = check['arguments-end'];
      const list = (words: readonly string[] | undefined) => words?.map((word) => JSON.stringify(word)).join('\n');
      return [
        {
          what: `main process of ${unit}`,
          expected: 'one that runs',
          found: `number ${found.identity.split(' ')[0]}`,
          ok: true,
        },
        ...judgeValue(`arguments of ${unit}`, list(check.arguments), list(found.arguments) ?? ''),
        ...judgeValue(`last arguments of ${unit}`, list(end), list(found.arguments.slice(-(end?.length ?? 0))) ?? ''),
        ...judgeText(`command line of ${unit}`, check['command-line'], found.arguments.join(' ')),
        ...Object.entries(check.environment ?? {}).map(([name, value]) => ({
          what: `${name} in the environment of ${unit}`,
          expected: value ?? 'is not there',
          found: found.environment.get(name) ?? 'is not there',
          ok: found.environment.get(name) === (value ?? undefined),
        })),
        ...judgeIdentity(unit, 'the same as', check['same-as'], found.identity, processes, true),
        ...judgeIdentity(unit, 'another one than', check['restarted-since'], found.identity, processes, false),
      ];
    },
  };
}

function judgeIdentity(
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
      expected: `${words} ${name}${before === undefined ? '' : ` (number ${before.split(' ')[0]})`}`,
      found: before === undefined ? `nothing was remembered as ${name}` : `number ${identity.split(' ')[0]}`,
      ok: before !== undefined && (before === identity) === same,
    },
  ];
}

/** Lines of a unit in the journal of this boot: journalctl(1). */
export function lookAtJournal(check: Extract<Check, { verb: 'journal' }>): Look {
  return {
    asks: [ask('journalctl', '--boot', '--no-pager', '--output=cat', `--unit=${check.journal}`)],
    judge: ([answer = NO_ANSWER]) => judgeText(`journal of ${check.journal}`, check.text, answer.stdout),
  };
}
