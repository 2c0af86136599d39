/** The quick part, which npm test runs if there is an engine: two scenarios on one host. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadScenarios } from '../../src/scenario/model/load.ts';
import { runScenarios } from '../../src/scenario/run/run.ts';
import { packageRoot } from '../../src/support/package-root.ts';
import { machineWith, sampleSettings } from './support/machine.ts';
import { failureReport } from './support/report.ts';

const QUICK = ['install-all', 'service-flags'];

test('packages install, and the kubelet runs with its flags', async () => {
  const { engine, hosts } = await machineWith(['debian-12']);
  const all = await loadScenarios(join(packageRoot(), 'packaging', 'scenarios'));
  const scenarios = all.filter(({ name }) => QUICK.includes(name));
  expect(scenarios).toHaveLength(QUICK.length);
  const settings = sampleSettings();
  const packages = { kind: 'build', settings } as const;
  const results = await runScenarios({ engine, hosts, scenarios, packages, sample: settings, jobs: 2 });
  expect(failureReport(results)).toBe('');
  expect(results.scenarios).toHaveLength(QUICK.length);
});
