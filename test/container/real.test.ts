/**
 * All scenarios with a real payload: Kubernetes 1.20.2, CNI plugins, crictl and the control plane. If they are not in the
 * cache, they are compiled from Debian's source packages, which takes some minutes.
 */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { buildControlPlane } from '../../scripts/control-plane.ts';
import { buildRealPayload } from '../../scripts/real-payload.ts';
import { loadScenarios } from '../../src/scenario/model/load.ts';
import { packageRoot } from '../../src/support/package-root.ts';
import { JOBS, machineWith, sampleSettings } from './support/machine.ts';
import { failureReport, hostTable, sayWhatEnds } from './support/report.ts';
import { runTwice } from './support/twice.ts';

test('all scenarios pass with a real payload', { retry: 0 }, async ({ signal }) => {
  const say = (line: string) => process.stdout.write(`${line}\n`);
  const payload = await buildRealPayload({ say });
  const { directory: controlPlane } = await buildControlPlane({ say });
  const { engine, hosts } = await machineWith(['debian-12', 'dnf-on-debian-12']);
  const scenarios = await loadScenarios(join(packageRoot(), 'packaging', 'scenarios'));
  const sample = sampleSettings();
  const settings = { ...sample, version: payload.versions.kubernetes, source: payload.directory };
  const packages = { kind: 'build', settings } as const;
  const results = await runTwice({
    engine,
    hosts,
    scenarios,
    packages,
    sample,
    controlPlane,
    jobs: JOBS,
    onEvent: sayWhatEnds,
    signal,
  });
  process.stdout.write(`\nPackages of Kubernetes ${payload.versions.kubernetes}:\n${hostTable(results)}\n\n`);
  expect(failureReport(results)).toBe('');
  expect(results.passed).toBe(true);
  const ran = new Set(results.scenarios.map(({ scenario }) => scenario));
  const missing = scenarios.filter(({ name, hosts: { payload } }) => payload !== 'sample' && !ran.has(name));
  expect(missing.map(({ name }) => name)).toEqual([]);
});
