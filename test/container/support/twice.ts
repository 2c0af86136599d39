import type { Results, ScenarioResult } from '../../../src/scenario/model/events.ts';
import { type RunScenariosOptions, runScenarios } from '../../../src/scenario/run/run.ts';

/**
 * Runs scenarios, and failed ones again, one at a time. Failures because of a busy machine pass then and are reported;
 * faults of a package fail again.
 */
export async function runTwice(options: RunScenariosOptions): Promise<Results> {
  const first = await runScenarios(options);
  const failed = first.scenarios.filter(({ outcome }) => outcome !== 'passed');
  if (failed.length === 0) return first;
  const again: ScenarioResult[] = [];
  for (const { host, scenario, fault } of failed) {
    process.stdout.write(`${scenario} on ${host} failed, and runs once more: ${fault}\n`);
    const hosts = options.hosts.filter(({ id }) => id === host);
    const scenarios = options.scenarios.filter(({ name }) => name === scenario);
    again.push(...(await runScenarios({ ...options, hosts, scenarios, jobs: 1 })).scenarios);
  }
  const results = first.scenarios.map(
    (result) => again.find(({ host, scenario }) => host === result.host && scenario === result.scenario) ?? result,
  );
  return { ...first, scenarios: results, passed: results.every(({ outcome }) => outcome === 'passed') };
}
