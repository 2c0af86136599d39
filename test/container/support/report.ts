import { table } from '../../../src/cli/render/table.ts';
import type { Results, ScenarioEvent, ScenarioResult, StepResult } from '../../../src/scenario/model/events.ts';
import { GROUPS } from '../../../src/scenario/model/scenario.ts';

/** Prints a line when a scenario ends. */
export function sayWhatEnds(event: ScenarioEvent): void {
  if (event.kind !== 'scenario-finished') return;
  const { host, scenario, outcome, milliseconds, fault } = event.result;
  const line = `${outcome} ${host} ${scenario} ${(milliseconds / 1000).toFixed(1)} s`;
  process.stdout.write(`${fault === '' ? line : `${line}: ${fault}`}\n`);
}

/** Table of hosts and groups: passed and run scenarios, and the sum of their durations. */
export function hostTable({ scenarios, milliseconds }: Results): string {
  const hosts = [...new Set(scenarios.map(({ host }) => host))];
  const groups = GROUPS.filter((group) => scenarios.some((result) => result.group === group));
  const cell = (host: string, group: string) => {
    const ran = scenarios.filter((result) => result.host === host && result.group === group);
    const passed = ran.filter(({ outcome }) => outcome === 'passed').length;
    return ran.length === 0 ? '' : passed === ran.length ? String(passed) : `${passed} of ${ran.length}`;
  };
  const time = (host: string) =>
    `${scenarios.reduce((sum, result) => sum + (result.host === host ? result.milliseconds / 1000 : 0), 0).toFixed(0)} s`;
  const rows = hosts.map((host) => [host, ...groups.map((group) => cell(host, group)), time(host)]);
  return [
    table(['Host', ...groups.map((group) => `>${group}`), '>Time'], rows),
    `${scenarios.length} scenarios in ${(milliseconds / 1000).toFixed(0)} s`,
  ].join('\n');
}

/** Report of failures; empty if all passed. */
export function failureReport({ scenarios }: Results): string {
  return scenarios
    .filter(({ outcome }) => outcome !== 'passed')
    .map(describeScenario)
    .join('\n\n');
}

function describeScenario({ host, scenario, outcome, fault, steps, journal }: ScenarioResult): string {
  return [
    `${scenario} on ${host}: ${outcome}: ${fault}`,
    ...steps.filter(({ ok }) => !ok).map(describeStep),
    `journal:\n${journal.split('\n').slice(-20).join('\n')}`,
  ].join('\n');
}

/** One step: expectation, result and commands. */
export function describeStep({ number, title, error, findings, commands }: StepResult): string {
  return [
    `step ${number}: ${title}`,
    ...(error === undefined ? [] : [error]),
    ...findings
      .filter(({ ok }) => !ok)
      .map(({ what, expected, found }) => `${what}: expected ${expected}, found ${found}`),
    ...commands.map(({ command, status, stdout, stderr }) =>
      `$ ${command.join(' ')} (status ${status})\n${stdout}\n${stderr}`.trim(),
    ),
  ].join('\n  ');
}
