import { shellWords } from '../../support/shell-words.ts';
import { attributes, escapeText } from '../../support/xml.ts';
import type { Results, ScenarioResult, StepResult } from '../model/events.ts';

/**
 * The results as JUnit XML in the form that Jenkins and GitLab read: a testsuite per host, a testcase per scenario with
 * `failure` (a check or an action), `error` (it could not run) or `skipped`. Durations are in seconds. There are no
 * timestamps, so equal results differ in durations only.
 */
export function junitOf({ scenarios, leftOut, milliseconds }: Results): string {
  const hosts = [...new Set([...scenarios, ...leftOut].map(({ host }) => host))];
  const suites = hosts.map((host) => {
    const own = scenarios.filter((result) => result.host === host);
    const skipped = leftOut.filter((one) => one.host === host);
    const cases = [
      ...own.map(testcase),
      ...skipped.map(({ scenario, group, reason }) =>
        element('testcase', { name: scenario, classname: `${host}.${group}`, time: '0' }, [
          element('skipped', { message: reason }, []),
        ]),
      ),
    ];
    return element('testsuite', { name: host, ...counts(own, skipped.length) }, cases);
  });
  const root = { name: 'kubeparcel test', ...counts(scenarios, leftOut.length), time: inSeconds(milliseconds) };
  return `<?xml version="1.0" encoding="UTF-8"?>\n${element('testsuites', root, suites)}\n`;
}

function counts(results: readonly ScenarioResult[], skipped: number): Record<string, string> {
  const count = (outcome: ScenarioResult['outcome']) => results.filter((one) => one.outcome === outcome).length;
  return {
    tests: String(results.length + skipped),
    failures: String(count('failed')),
    errors: String(count('error')),
    skipped: String(skipped),
    time: inSeconds(results.reduce((sum, one) => sum + one.milliseconds, 0)),
  };
}

function testcase(result: ScenarioResult): string {
  const { host, group, scenario, outcome, fault, steps, journal, milliseconds } = result;
  const wrong = steps.filter(({ ok }) => !ok);
  return element('testcase', { name: scenario, classname: `${host}.${group}`, time: inSeconds(milliseconds) }, [
    ...(outcome === 'passed'
      ? []
      : [
          element(outcome === 'failed' ? 'failure' : 'error', { message: fault, type: wrong[0]?.verb ?? 'scenario' }, [
            escapeText(wrong.map(describe).join('\n\n') || fault),
          ]),
        ]),
    ...(outcome === 'passed' || journal === '' ? [] : [element('system-out', {}, [escapeText(journal)])]),
  ]);
}

function describe({ number, title, findings, commands, error }: StepResult): string {
  return [
    `step ${number}: ${title}`,
    ...(error === undefined ? [] : [error]),
    ...findings
      .filter(({ ok }) => !ok)
      .map(({ what, expected, found }) => `${what}\n  expected: ${expected}\n  found:    ${found}`),
    ...commands.map(
      ({ command, status, stdout, stderr }) => `$ ${shellWords(command)}\n${stdout}${stderr}\n(status ${status})`,
    ),
  ].join('\n');
}

function inSeconds(milliseconds: number): string {
  return (milliseconds / 1000).toFixed(3);
}

function element(name: string, values: Readonly<Record<string, string>>, children: readonly string[]): string {
  const start = `<${name}${attributes(values)}`;
  return children.length === 0 ? `${start}/>` : `${start}>${children.join('\n')}</${name}>`;
}
