import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { renderResults } from '../../../src/cli/render/test.ts';
import type { Results, ScenarioResult } from '../../../src/scenario/model/events.ts';
import { GROUPS } from '../../../src/scenario/model/scenario.ts';
import { junitOf } from '../../../src/scenario/report/junit.ts';
import { reportOf } from '../../../src/scenario/report/report.ts';
import { hasTool } from '../../support/tools.ts';

const PASSED: ScenarioResult = {
  host: 'debian-12',
  scenario: 'install-all',
  group: 'install',
  title: 'all five',
  outcome: 'passed',
  milliseconds: 4200,
  stepCount: 1,
  steps: [
    {
      number: 1,
      title: 'check file /x',
      kind: 'check',
      verb: 'file',
      ok: true,
      milliseconds: 100,
      findings: [{ what: 'mode of /x', expected: '0644', found: '0644', ok: true }],
      commands: [{ command: ['stat', '--format=%a', '/x'], status: 0, stdout: '644', stderr: '' }],
    },
  ],
  fault: '',
  journal: '',
  kept: undefined,
  enter: ['podman', 'exec', 'c1'],
};
const FAILED: ScenarioResult = {
  ...PASSED,
  scenario: 'install-alone',
  title: 'one <alone> & "quoted"',
  outcome: 'failed',
  stepCount: 2,
  fault: 'step 1, run <x>: status: expected 0, found 3',
  journal: 'line of `journal`\nlast',
  kept: 'kubeparcel-1-debian-12-install-alone',
  steps: [
    {
      number: 1,
      title: 'run <x>',
      kind: 'action',
      verb: 'run',
      ok: false,
      milliseconds: 100,
      findings: [{ what: 'status', expected: '0', found: '3', ok: false }],
      commands: [{ command: ['sh', '-c', "echo 'a'"], status: 3, stdout: '\u001b[1m<&>', stderr: ']]>' }],
    },
  ],
};
const RESULTS: Results = {
  scenarios: [PASSED, FAILED],
  leftOut: [{ host: 'dnf', scenario: 'kubeadm-init', group: 'kubeadm', reason: 'only with a "real" payload' }],
  milliseconds: 9000,
  passed: false,
};

/** Python's expat is what many readers of JUnit files are made of. */
const READ = `
import json, sys, xml.etree.ElementTree as tree
def node(e): return {'tag': e.tag, 'attributes': dict(e.attrib), 'text': (e.text or ''), 'children': [node(c) for c in e]}
print(json.dumps(node(tree.fromstring(sys.stdin.buffer.read()))))
`;

interface Element {
  readonly tag: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly text: string;
  readonly children: readonly Element[];
}

describe.skipIf(!hasTool('python3'))('the JUnit file, as an XML parser reads it', () => {
  const root: Element = JSON.parse(
    execFileSync('python3', ['-c', READ], { input: junitOf(RESULTS), encoding: 'utf8' }),
  );

  test('a testsuite per host, with counts and seconds', () => {
    expect([root.tag, root.attributes]).toEqual([
      'testsuites',
      { name: 'kubeparcel test', tests: '3', failures: '1', errors: '0', skipped: '1', time: '9.000' },
    ]);
    expect(root.children.map(({ tag, attributes }) => [tag, attributes])).toEqual([
      ['testsuite', { name: 'debian-12', tests: '2', failures: '1', errors: '0', skipped: '0', time: '8.400' }],
      ['testsuite', { name: 'dnf', tests: '1', failures: '0', errors: '0', skipped: '1', time: '0.000' }],
    ]);
  });

  test('a testcase per scenario, with its failures', () => {
    const [passed, failed] = root.children[0]?.children ?? [];
    expect(passed).toMatchObject({
      tag: 'testcase',
      attributes: { name: 'install-all', classname: 'debian-12.install', time: '4.200' },
      children: [],
    });
    const [failure, out] = failed?.children ?? [];
    expect(failure).toMatchObject({ tag: 'failure', attributes: { message: FAILED.fault, type: 'run' } });
    expect(failure?.text).toContain("status\n  expected: 0\n  found:    3\n$ sh -c 'echo '\\''a'\\'''\n[1m<&>]]>");
    expect(out).toMatchObject({ tag: 'system-out', text: FAILED.journal });
    expect(root.children[1]?.children[0]?.children).toMatchObject([
      { tag: 'skipped', attributes: { message: 'only with a "real" payload' } },
    ]);
  });
});

test('the report shows expectation, result and command of every check', () => {
  const report = reportOf(RESULTS, 'dist');
  expect(report).toContain('1 of 2 passed, 1 skipped.');
  expect(report).toContain('   - mode of /x: `0644`\n   - look: `podman exec c1 stat --format=%a /x`');
  expect(report).toContain('1. **failed** run \\<x\\>\n   - **wrong** status: expected `0`, found `3`');
  expect(report).toContain('Steps not run: 1.');
  expect(report).toContain('`kubeparcel test shell kubeparcel-1-debian-12-install-alone`');
  expect(report).toContain('dnf, kubeadm-init: only with a "real" payload');
});

test('the summary is a table of hosts and groups, then the failures and how to inspect them', () => {
  const text = renderResults(RESULTS);
  expect(text.split('\n').slice(0, 2)).toEqual(['Host       inst', 'debian-12   1/2']);
  expect(text).toContain('FAILED  debian-12, install-alone');
  expect(text).toContain("         $ podman exec c1 sh -c 'echo '\\''a'\\'''");
  expect(text).toContain('  to investigate: kubeparcel test shell kubeparcel-1-debian-12-install-alone');
  expect(text).toContain('  only with a "real" payload: kubeadm-init');
  expect(text.endsWith('1 of 2 passed, 1 skipped, 9.0 s')).toBe(true);
});

test('the table of all groups and the longest host name fits in 80 columns', () => {
  const scenarios = GROUPS.flatMap((group) =>
    Array.from({ length: 12 }, (_, index) => ({
      ...(index === 0 ? FAILED : PASSED),
      group,
      host: 'zypper-on-debian-12',
    })),
  );
  const [, row = ''] = renderResults({ ...RESULTS, scenarios }).split('\n');
  expect(row).toContain('11/12');
  expect(row.length).toBeLessThanOrEqual(80);
});
