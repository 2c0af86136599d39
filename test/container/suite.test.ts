/** All scenarios with the embedded sample, on every host that can be built without a registry. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadScenarios } from '../../src/scenario/model/load.ts';
import { packageRoot } from '../../src/support/package-root.ts';
import { HOSTS, JOBS, machineWith, sampleSettings } from './support/machine.ts';
import { failureReport, hostTable, sayWhatEnds } from './support/report.ts';
import { runTwice } from './support/twice.ts';

test('all scenarios pass with the sample', { retry: 0 }, async ({ signal }) => {
  const { engine, hosts } = await machineWith(HOSTS);
  const scenarios = await loadScenarios(join(packageRoot(), 'packaging', 'scenarios'));
  const settings = sampleSettings();
  const packages = { kind: 'build', settings } as const;
  const results = await runTwice({
    engine,
    hosts,
    scenarios,
    packages,
    sample: settings,
    jobs: JOBS,
    onEvent: sayWhatEnds,
    signal,
  });
  process.stdout.write(`\nThe sample's packages:\n${hostTable(results)}\n\n`);
  expect(failureReport(results)).toBe('');
  expect(results.passed).toBe(true);
  // Each scenario ran on a host, except those that need a real payload.
  const ran = new Set(results.scenarios.map(({ scenario }) => scenario));
  const missing = scenarios.filter(({ name, hosts: { payload } }) => payload !== 'real' && !ran.has(name));
  expect(missing.map(({ name }) => name)).toEqual([]);
});
