import type { Results, ScenarioResult } from '../../scenario/model/events.ts';
import { GROUPS, type Group, type Scenario } from '../../scenario/model/scenario.ts';
import { shellWords } from '../../support/shell-words.ts';
import { humanTime, table } from './table.ts';

/** Heads of columns, short enough for all groups in 80 columns. */
const HEADS: Readonly<Record<Group, string>> = {
  install: 'inst',
  service: 'serv',
  kubeadm: 'kubeadm',
  generator: 'gen',
  runtime: 'run',
  upgrade: 'upgr',
  remove: 'rem',
  conditions: 'cond',
};

/** What a run came to: a table host x group, what failed and how to look at it, and one line of sums. */
export function renderResults(results: Results): string {
  const { scenarios, leftOut, milliseconds } = results;
  const failed = scenarios.filter(({ outcome }) => outcome !== 'passed');
  const sums = [
    `${scenarios.length - failed.length} of ${scenarios.length} passed`,
    ...(leftOut.length === 0 ? [] : [`${leftOut.length} left out`]),
    humanTime(milliseconds / 1000),
  ];
  return [
    ...(scenarios.length === 0 ? [] : [matrix(scenarios)]),
    ...failed.map(renderFailure),
    ...reasons(results),
    sums.join(', '),
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
    ['host', ...groups.map((group) => `>${HEADS[group]}`)],
    hosts.map((host) => [host, ...groups.map((group) => cell(host, group))]),
  );
}

/** Lines of output that are shown of a command that failed; all of it is in the report. */
const SHOWN_LINES = 12;
const JOURNAL_LINES = 12;

function renderFailure({ host, scenario, title, fault, steps, journal, kept, outcome, enter }: ScenarioResult): string {
  const wrong = steps.filter(({ ok }) => !ok);
  const lines = [`${outcome === 'error' ? 'ERROR' : 'FAILED'}  ${host}, ${scenario}: ${title}`];
  if (outcome === 'error' || wrong.length === 0) lines.push(`  ${fault}`);
  if (wrong.length > 0) {
    for (const step of steps) {
      lines.push(`  ${step.ok ? 'done' : 'WRONG'}  ${step.number}. ${step.title}`);
      if (step.ok) continue;
      if (step.error !== undefined) lines.push(`         ${step.error}`);
      for (const { what, expected, found, ok } of step.findings) {
        if (!ok) lines.push(`         ${what}`, ...labelled('expected', expected), ...labelled('found', found));
      }
      for (const { command, stdout, stderr } of step.commands) {
        const look = kept === undefined ? command : [...enter, ...command];
        lines.push(`         $ ${firstLine(shellWords(look))}`);
        if (step.kind === 'action') lines.push(...tail(`${stdout}${stderr}`, SHOWN_LINES, '           '));
      }
    }
  }
  if (journal !== '') lines.push('  journal:', ...tail(journal, JOURNAL_LINES, '    '));
  if (kept !== undefined) lines.push(`  look for yourself: kubeparcel test shell ${kept}`);
  return lines.join('\n');
}

function labelled(label: string, text: string): string[] {
  const [first = '', ...rest] = text.split('\n').slice(0, SHOWN_LINES);
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

/** Why scenarios were left out, in as few lines as it takes. */
function reasons({ leftOut }: Results): string[] {
  if (leftOut.length === 0) return [];
  const byReason = new Map<string, Set<string>>();
  for (const { reason, scenario } of leftOut) {
    byReason.set(reason, new Set([...(byReason.get(reason) ?? []), scenario]));
  }
  const lines = [...byReason].map(([reason, names]) => `  ${reason}: ${wrapped([...names].join(', '))}`);
  return [['left out:', ...lines].join('\n')];
}

function wrapped(text: string): string {
  return text.length > 200 ? `${text.slice(0, 197)}...` : text;
}

/** The scenarios there are. */
export function renderScenarios(scenarios: readonly Scenario[]): string {
  const rows = scenarios.map(({ name, group, title }) => [group, name, title]);
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  const left = 80 - widths.reduce((sum, width) => sum + width + 2, 0);
  const short = (text: string) => (text.length > left ? `${text.slice(0, left - 1)}…` : text);
  return table(
    ['group', 'name', 'what the host goes through'],
    rows.map(([group = '', name = '', title = '']) => [group, name, short(title)]),
  );
}
