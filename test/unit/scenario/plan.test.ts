import { beforeAll, describe, expect, test } from 'vitest';
import { loadCatalog } from '../../../src/catalog/catalog.ts';
import type { Catalog } from '../../../src/catalog/model.ts';
import type { ScenarioHost } from '../../../src/scenario/model/host.ts';
import { parseScenario } from '../../../src/scenario/model/load.ts';
import { type PlanInput, planScenarios } from '../../../src/scenario/model/plan.ts';
import { setRank, setRecipe } from '../../../src/scenario/model/set-versions.ts';

let catalog: Catalog;
beforeAll(async () => {
  catalog = await loadCatalog();
});

function host(id: string, manager: ScenarioHost['manager'], distribution: string): ScenarioHost {
  const profile = catalog.distributions.find((each) => each.id === distribution);
  if (profile === undefined) throw new Error(`no distribution ${distribution}`);
  return { id, image: `image-of-${id}`, manager, program: manager, distribution: profile, architecture: 'amd64' };
}

function plan(text: string, more: Partial<PlanInput> = {}) {
  const scenario = parseScenario(`title: t\ngroup: install\nwhy: w\n${text}`, 't.yaml', 't');
  return planScenarios({
    hosts: [
      host('debian-12', 'apt', 'debian-12'),
      host('dnf', 'dnf', 'el-9'),
      host('zypper', 'zypper', 'opensuse-leap-15.6'),
    ],
    scenarios: [scenario],
    payloadOn: () => 'sample',
    withoutSet: () => undefined,
    withoutSystemd: undefined,
    hasControlPlane: false,
    ...more,
  });
}

describe('planning of scenarios', () => {
  test.each([
    ['everywhere', '', ['debian-12', 'dnf', 'zypper']],
    ['a format', 'hosts: { formats: rpm }\n', ['dnf', 'zypper']],
    ['managers', 'hosts: { managers: [apt, dnf] }\n', ['debian-12', 'dnf']],
    ['a payload', 'hosts: { payload: real }\n', []],
    ['a host', 'hosts: { names: debian-12 }\n', ['debian-12']],
    ['all but one', 'hosts: { names: [-debian-12] }\n', ['dnf', 'zypper']],
    ['a control plane', 'container: { control-plane: true }\n', []],
  ])('%s', (_, text, expected) => {
    const { jobs, leftOut } = plan(`${text}steps: [{ wait: 1 }]\n`);
    expect(jobs.map((job) => job.host.id)).toEqual(expected);
    expect(leftOut.length + jobs.length).toBe(3);
    expect(leftOut.every(({ reason }) => reason.length > 10)).toBe(true);
  });

  test('without systemd, only scenarios without init run', () => {
    const withoutSystemd = 'there is no cgroup v2';
    const { leftOut } = plan('steps: [{ wait: 1 }]\n', { withoutSystemd });
    expect(leftOut[0]?.reason).toContain('there is no cgroup v2');
    expect(plan('container: { init: none }\nsteps: [{ wait: 1 }]\n', { withoutSystemd }).jobs).toHaveLength(3);
  });

  test('steps for other hosts are skipped, and scenarios without remaining steps too', () => {
    const { jobs, leftOut } = plan(
      'steps:\n  - wait: 1\n    on: apt\n  - wait: 2\n    on: [-zypper, -sample]\n  - wait: 3\n    on: [-zypper]\n',
    );
    expect(
      jobs.map(({ steps }) => steps.map((step) => step.kind === 'action' && 'wait' in step.action && step.action.wait)),
    ).toEqual([[1, 3], [3]]);
    expect(leftOut).toMatchObject([{ host: 'zypper', reason: 'no step applies to this host' }]);
  });

  test('a job uses only the sets of its steps', () => {
    const { jobs } = plan(
      'steps:\n  - install: all\n    from: official\n    on: deb\n  - change: all\n    to: next-revision\n  - file: "{units}/{minor@previous-minor}"\n',
    );
    expect(jobs.map(({ sets }) => [...sets].sort())).toEqual([
      ['current', 'next-revision', 'official', 'previous-minor'],
      ['current', 'next-revision', 'previous-minor'],
      ['current', 'next-revision', 'previous-minor'],
    ]);
  });

  test('a host without a set is skipped with a reason', () => {
    const withoutSet = () => 'there is no previous-minor of 1.11.0-1';
    expect(plan('steps:\n  - change: all\n    to: previous-minor\n', { withoutSet }).leftOut).toHaveLength(3);
  });
});

describe('versions of sets', () => {
  const minors = { oldestMinor: '1.11', legacyMinor: '1.27' };
  test.each([
    ['1.36.4', 'previous-patch', '1.36.3', '1'],
    ['1.36.0', 'previous-patch', '1.36.0-rc.1', '1'],
    ['1.37.0-rc.1', 'previous-patch', '1.36.0', '1'],
    ['1.36.4', 'previous-minor', '1.35.0', '1'],
    ['1.36.4', 'next-revision', '1.36.4', '3'],
    ['1.36.4', 'official', '1.36.3', '1'],
    ['1.36.0', 'official', '1.35.0', '1'],
    ['1.36.4', 'official-legacy', '1.27.0', '1'],
  ] as const)('of %s: %s is %s-%s', (version, set, expected, revision) => {
    const recipe = setRecipe(set, { version, revision: '2.el9' }, minors);
    expect(recipe).toEqual({ version: expected, revision });
    expect(Math.sign(setRank(recipe ?? { version, revision }, { version, revision: '2.el9' }))).toBe(
      set === 'next-revision' ? 1 : -1,
    );
  });

  test.each([
    ['1.11.3', 'previous-minor'],
    ['1.11.0-rc.1', 'previous-patch'],
    ['1.20.2', 'official-legacy'],
  ] as const)('of %s there is no %s', (version, set) => {
    expect(setRecipe(set, { version, revision: '1' }, minors)).toBeUndefined();
  });
});
