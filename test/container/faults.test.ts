/**
 * Planted faults: packages that are broken in one way each, and the scenario that must fail for it, at the check that
 * looks for it. So a scenario that passes says something. Run: npm run test:containers -- test/container/faults.test.ts
 */
import { linkSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Format } from '../../src/layout/layout.ts';
import { fetchPayload } from '../../src/payload/fetch.ts';
import { openStore } from '../../src/payload/store.ts';
import { composeLayouts, prepare } from '../../src/pipeline/prepare.ts';
import { type PackageJob, writePackages } from '../../src/pipeline/run.ts';
import type { ScenarioResult } from '../../src/scenario/events.ts';
import { loadScenarios } from '../../src/scenario/load.ts';
import { runScenarios } from '../../src/scenario/run.ts';
import type { Scenario } from '../../src/scenario/scenario.ts';
import { packageRoot } from '../../src/support/package-root.ts';
import type { Fault } from './support/faults/fault.ts';
import { FAULTS } from './support/faults.ts';
import { type Machine, machineWith, sampleSettings } from './support/machine.ts';
import { describeStep } from './support/report.ts';

const work = mkdtempSync(join(tmpdir(), 'kubeparcel-faults-'));
const hostIds = [...new Set(FAULTS.map(({ host }) => host))];
const store = await openStore(join(work, 'store'));
let machine: Machine;
let scenarios: readonly Scenario[];
let jobs: readonly PackageJob[];
/** Paths of the unbroken packages, by format. */
let sound: Readonly<Record<Format, readonly string[]>>;

beforeAll(async () => {
  machine = await machineWith(hostIds);
  scenarios = await loadScenarios(join(packageRoot(), 'packaging', 'scenarios'));
  const prepared = await prepare(sampleSettings(), {});
  try {
    const { payload } = await fetchPayload({ ...prepared, store });
    jobs = composeLayouts(prepared, payload, {});
  } finally {
    await prepared.source.close();
  }
  const built = await writePackages(jobs, { objects: store, out: join(work, 'sound'), jobs: 2 });
  const paths = (format: Format) => built.filter(({ task }) => task.target.format === format).map(({ path }) => path);
  sound = { deb: paths('deb'), rpm: paths('rpm') };
});
afterAll(() => rmSync(work, { recursive: true, force: true }));

/** Runs a scenario with the packages of a folder. */
async function runWith(folder: string, hostId: string, scenario: string): Promise<ScenarioResult> {
  const hosts = machine.hosts.filter(({ id }) => id === hostId);
  const format = hosts[0]?.distribution.format ?? 'deb';
  const chosen = scenarios.filter(({ name }) => name === scenario);
  expect(chosen, `there is a scenario ${scenario}`).toHaveLength(1);
  const packages = { kind: 'folders', [format]: folder } as const;
  const { engine } = machine;
  const ran = await runScenarios({ engine, hosts, scenarios: chosen, packages, sample: sampleSettings(), jobs: 1 });
  const [result] = ran.scenarios;
  if (result === undefined) throw new Error(`${scenario} was left out: ${ran.leftOut.map(({ reason }) => reason)}`);
  return result;
}

/** A folder with the sound packages of the host's format, but this one broken. */
async function brokenPackages(fault: Fault): Promise<string> {
  const format = machine.hosts.find(({ id }) => id === fault.host)?.distribution.format ?? 'deb';
  const folder = mkdtempSync(join(work, 'broken-'));
  const broken = Object.entries(fault.broken).map(([name, mutation]) => {
    const job = jobs.find(({ task }) => task.target.format === format && task.package === name);
    if (job === undefined) throw new Error(`no package ${name}`);
    return { ...job, layout: mutation(job.layout) };
  });
  await writePackages(broken, { objects: store, out: folder, jobs: 1 });
  const written = broken.map(({ task }) => task.file);
  const others = sound[format].filter((path) => !written.includes(basename(path)));
  for (const path of others) linkSync(path, join(folder, basename(path)));
  return folder;
}

const pairs = [...new Map(FAULTS.map(({ host, scenario }) => [`${scenario} on ${host}`, { host, scenario }]))];

describe.concurrent('unbroken packages pass', () => {
  test.each(pairs)('%s', async (_, { host, scenario }) => {
    const format = machine.hosts.find(({ id }) => id === host)?.distribution.format ?? 'deb';
    const folder = mkdtempSync(join(work, 'sound-'));
    mkdirSync(folder, { recursive: true });
    for (const path of sound[format]) linkSync(path, join(folder, basename(path)));
    const { outcome, fault } = await runWith(folder, host, scenario);
    expect(fault).toBe('');
    expect(outcome).toBe('passed');
  });
});

describe.concurrent('a planted fault is noticed', () => {
  test.each(FAULTS.map((fault) => [`${fault.name} (${fault.scenario} on ${fault.host})`, fault] as const))(
    '%s',
    async (_, fault) => {
      const result = await runWith(await brokenPackages(fault), fault.host, fault.scenario);
      expect(result.outcome).toBe('failed');
      const first = result.steps.find(({ ok }) => !ok);
      const report = first === undefined ? 'nothing failed' : describeStep(first);
      if (typeof fault.noticed === 'string') expect(report).toContain(fault.noticed);
      else expect(report).toMatch(fault.noticed);
    },
  );
});
