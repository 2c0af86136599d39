import type { Results, ScenarioResult } from '../../scenario/model/events.ts';
import { GROUPS, type Group, type Scenario } from '../../scenario/model/scenario.ts';
import { shellWords } from '../../support/shell-words.ts';
import { humanTime, table } from './table.ts';

/** Column headers, short enough for all groups to fit 80 columns. */
const HEADERS: Readonly<Record<Group, string>> = {
  install: 'inst',
  service: 'serv',
  kubeadm: 'kubeadm',
  generator: 'gen',
  runtime: 'run',
  upgrade: 'upgr',
  remove: 'rem',
  conditions: 'cond',
};

/** The results of a run: a table of hosts and groups, the failures, and a summary line. */
export function renderResults(results: Results): string {
  const { scenarios, leftOut, milliseconds } = results;
  const failed = scenarios.filter(({ outcome }) => outcome !== 'passed');
  const summary = [
    `${scenarios.length - failed.length} of ${scenarios.length} passed`,
    ...(leftOut.length === 0 ? [] : [`${leftOut.length} skipped`]),
    humanTime(milliseconds / 1000),
  ];
  return [
    ...(scenarios.length === 0 ? [] : [matrix(scenarios)]),
    ...failed.map(renderFailure),
    ...skipReasons(results),
    summary.join(', '),
  ].join('\n\n');
}

function matrix(scenarios: readonly ScenarioResult[]): string {
  const hosts = [...new Set(scenarios.map(({ host }) => host))];
  const groups = GROUPS.filter((group) => scenarios.some((result) => result.group === group));
  const cell = (host: string, group: Group) => {
    const own = scenarios.filter((result) => result.host === host && result.group === group);
    const passed = own.filter(({ outcome }) => outcome === 'passed').length;
    return own.length === 0 ? '-' : passed === own.length ? String(passed) : `${passed}/${own.length}`;
  };
  return table(
    ['Host', ...groups.map((group) => `>${HEADERS[group]}`)],
    hosts.map((host) => [host, ...groups.map((group) => cell(host, group))]),
  );
}

/** Maximum number of output lines shown per failed command; the report has all of them. */
const OUTPUT_LINES = 12;
const JOURNAL_LINES = 12;

function renderFailure({ host, scenario, title, fault, steps, journal, kept, outcome, enter }: ScenarioResult): string {
  const failed = steps.filter(({ ok }) => !ok);
  const lines = [`${outcome === 'error' ? 'ERROR' : 'FAILED'}  ${host}, ${scenario}: ${title}`];
  if (outcome === 'error' || failed.length === 0) lines.push(`  ${fault}`);
  if (failed.length > 0) {
    for (const step of steps) {
      lines.push(`  ${step.ok ? 'ok    ' : 'FAILED'}  ${step.number}. ${step.title}`);
      if (step.ok) continue;
      if (step.error !== undefined) lines.push(`         ${step.error}`);
      for (const { what, expected, found, ok } of step.findings) {
        if (!ok) lines.push(`         ${what}`, ...labelled('expected', expected), ...labelled('found', found));
      }
      for (const { command, stdout, stderr } of step.commands) {
        const shown = kept === undefined ? command : [...enter, ...command];
        lines.push(`         $ ${firstLine(shellWords(shown))}`);
        if (step.kind === 'action') lines.push(...tail(`${stdout}${stderr}`, OUTPUT_LINES, '           '));
      }
    }
  }
  if (journal !== '') lines.push('  journal:', ...tail(journal, JOURNAL_LINES, '    '));
  if (kept !== undefined) lines.push(`  to investigate: kubeparcel test shell ${kept}`);
  return lines.join('\n');
}

function labelled(label: string, text: string): string[] {
  const [first = '', ...rest] = text.split('\n').slice(0, OUTPUT_LINES);
  return [`           ${label.padEnd(9)} ${first}`, ...rest.map((line) => `                     ${line}`)];
}

function firstLine(text: string): string {
  const [line = ''] = text.split('\n');
  return line === text ? line : `${line} ...`;
}

function tail(text: string, count: number, indent: string): string[] {
  const lines = text.trimEnd().split('\n');
  return (lines.length > count ? ['...', ...lines.slice(-count)] : lines).map((line) => `${indent}${line}`);
}

/** Why scenarios were skipped, grouped by reason. */
function skipReasons({ leftOut }: Results): string[] {
  if (leftOut.length === 0) return [];
  const byReason = new Map<string, Set<string>>();
  for (const { reason, scenario } of leftOut) {
    byReason.set(reason, new Set([...(byReason.get(reason) ?? []), scenario]));
  }
  const lines = [...byReason].map(([reason, names]) => `  ${reason}: ${shortened([...names].join(', '))}`);
  return [['skipped:', ...lines].join('\n')];
}

function shortened(text: string): string {
  return text.length > 200 ? `${text.slice(0, 197)}...` : text;
}

/** The output of `kubeparcel test --list`. */
export function renderScenarios(scenarios: readonly Scenario[]): string {
  const rows = scenarios.map(({ name, group, title }) => [group, name, title]);
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  const width = 80 - widths.reduce((sum, column) => sum + column + 2, 0);
  const short = (text: string) => (text.length > width ? `${text.slice(0, width - 1)}…` : text);
  return table(
    ['Group', 'Name', 'Title'],
    rows.map(([group = '', name = '', title = '']) => [group, name, short(title)]),
  );
}
