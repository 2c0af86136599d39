/**
 * Planted faults: packages with one fault each, and the scenario and check that must fail for it. This proves that the
 * scenarios detect faults. Run: npm run test:containers -- test/container/faults.test.ts
 */
import { linkSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Format } from '../../src/model/format.ts';
import { fetchPayload } from '../../src/payload/fetch.ts';
import { openStore } from '../../src/payload/store/content-store.ts';
import { composeLayouts, prepare } from '../../src/pipeline/prepare.ts';
import { type PackageJob, writePackages } from '../../src/pipeline/run.ts';
import type { OnScenarioEvent, Results, StepResult } from '../../src/scenario/model/events.ts';
import { loadScenarios } from '../../src/scenario/model/load.ts';
import type { Scenario } from '../../src/scenario/model/scenario.ts';
import { type RunScenariosOptions, runScenarios } from '../../src/scenario/run/run.ts';
import { packageRoot } from '../../src/support/package-root.ts';
import type { Fault } from './support/faults/fault.ts';
import { FAULTS } from './support/faults.ts';
import { HOSTS, JOBS, type Machine, machineWith, sampleSettings } from './support/machine.ts';
import { describeStep, failureReport } from './support/report.ts';

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

const formatOf = (hostId: string) => machine.hosts.find(({ id }) => id === hostId)?.distribution.format ?? 'deb';

/** Runs scenarios on a host with the packages of a directory. */
async function runWith(
  directory: string,
  hostId: string,
  names: readonly string[],
  options: Pick<RunScenariosOptions, 'onEvent' | 'signal'> = {},
): Promise<Results> {
  const chosen = scenarios.filter(({ name }) => names.includes(name));
  expect(chosen.map(({ name }) => name).sort()).toEqual([...names].sort());
  const results = await runScenarios({
    engine: machine.engine,
    hosts: machine.hosts.filter(({ id }) => id === hostId),
    scenarios: chosen,
    packages: { kind: 'directories', [formatOf(hostId)]: directory },
    sample: sampleSettings(),
    jobs: JOBS,
    ...options,
  });
  expect(results.leftOut).toEqual([]);
  return results;
}

/** The first failed step. */
async function firstFailure(fault: Fault): Promise<StepResult | undefined> {
  const directory = await brokenPackages(fault);
  const enough = new AbortController();
  let first: StepResult | undefined;
  const onEvent: OnScenarioEvent = (event) => {
    if (event.kind !== 'step-finished' || event.result.ok) return;
    first ??= event.result;
    enough.abort(ENOUGH);
  };
  await runWith(directory, fault.host, [fault.scenario], { onEvent, signal: enough.signal }).catch((error: unknown) => {
    if (error !== ENOUGH) throw error;
  });
  return first;
}

const ENOUGH = new Error('the fault was noticed');

/** A directory with the unbroken packages of the host's format and this broken one. */
async function brokenPackages(fault: Fault): Promise<string> {
  const format = formatOf(fault.host);
  const directory = mkdtempSync(join(work, 'broken-'));
  const broken = Object.entries(fault.broken).map(([name, mutation]) => {
    const job = jobs.find(({ task }) => task.target.format === format && task.package === name);
    if (job === undefined) throw new Error(`no package ${name}`);
    return { ...job, layout: mutation(job.layout) };
  });
  await writePackages(broken, { objects: store, out: directory, jobs: 1 });
  const written = broken.map(({ task }) => task.file);
  const others = sound[format].filter((path) => !written.includes(basename(path)));
  for (const path of others) linkSync(path, join(directory, basename(path)));
  return directory;
}

// One scenario for each host, which shows that the fault makes it fail; suite.test.ts shows that all pass.
// Concurrent tests need an expect of their own: with the common one, one test resets the count of another.
describe.concurrent('unbroken packages pass', () => {
  test.for(hostIds)('on %s', async (host, { expect }) => {
    const directory = mkdtempSync(join(work, 'sound-'));
    for (const path of sound[formatOf(host)]) linkSync(path, join(directory, basename(path)));
    const scenario = FAULTS.find((fault) => fault.host === host)?.scenario ?? '';
    const results = await runWith(directory, host, [scenario]);
    expect(failureReport(results)).toBe('');
    expect(results.scenarios).toHaveLength(1);
  });
});

describe.concurrent('a planted fault is noticed', () => {
  test.for(FAULTS.map((fault) => [`${fault.name} (${fault.scenario} on ${fault.host})`, fault] as const))(
    '%s',
    async ([, fault], { expect }) => {
      const first = await firstFailure(fault);
      const report = first === undefined ? 'nothing failed' : describeStep(first);
      if (typeof fault.noticed === 'string') expect(report).toContain(fault.noticed);
      else expect(report).toMatch(fault.noticed);
    },
  );
});

test('there are enough of them, on every host', () => {
  expect(FAULTS.length).toBeGreaterThanOrEqual(50);
  expect(new Set(hostIds)).toEqual(new Set(HOSTS));
  expect(new Set(FAULTS.map(({ name }) => name)).size).toBe(FAULTS.length);
});
