import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pLimit from 'p-limit';
import { loadCatalog } from '../../catalog/catalog.ts';
import type { Engine } from '../../container/engine.ts';
import type { Settings } from '../../pipeline/prepare.ts';
import { isErrno } from '../../support/file-system.ts';
import { packageRoot } from '../../support/package-root.ts';
import type { JobName, OnScenarioEvent, Results, ScenarioResult } from '../model/events.ts';
import type { PackageSet } from '../model/expectation.ts';
import type { ScenarioHost } from '../model/host.ts';
import { type Plan, planScenarios, type ScenarioJob } from '../model/plan.ts';
import type { Scenario } from '../model/scenario.ts';
import { type KnownMinors, setRecipe } from '../model/set-versions.ts';
import { type HostSet, type PackagesUnderTest, type SetMaker, setMaker } from '../sets/host-sets.ts';
import { lastLegacyMinor, loadOfficialLayouts } from '../sets/official-layout.ts';
import { runScenario } from './run-scenario.ts';

export interface RunScenariosOptions {
  readonly engine: Engine;
  readonly hosts: readonly ScenarioHost[];
  readonly scenarios: readonly Scenario[];
  readonly packages: PackagesUnderTest;
  /** Settings for building other sets from the embedded sample. */
  readonly sample: Settings;
  /** Number of concurrent scenarios. */
  readonly jobs: number;
  /** Keeps the containers of failed scenarios. */
  readonly keep?: boolean;
  /** Directory with etcd, kube-apiserver and kube-controller-manager. */
  readonly controlPlane?: string | undefined;
  /** Milliseconds of earlier runs by `HOST SCENARIO`; the longest start first. */
  readonly durations?: ReadonlyMap<string, number>;
  /** Directory with the files of the action `copy`; packaging/scenarios/files by default. */
  readonly helpers?: string;
  readonly onEvent?: OnScenarioEvent;
  readonly signal?: AbortSignal;
}

/**
 * Runs scenarios on hosts concurrently, each in a new container.
 *
 * @returns the result of each scenario, and the reasons of skipped ones; a failed scenario is not an error
 * @throws KubeparcelError if packages cannot be read or built, and the signal's reason if it is aborted; all containers and
 * files of the run are removed
 */
export async function runScenarios(options: RunScenariosOptions): Promise<Results> {
  const { engine, signal, onEvent = () => {} } = options;
  const started = performance.now();
  const catalog = await loadCatalog(options.sample.packaging);
  const official = await loadOfficialLayouts(catalog);
  const minors = { oldestMinor: catalog.minors[0]?.minor ?? '', legacyMinor: lastLegacyMinor(official) };
  const helpers = await readHelpers(options.helpers ?? join(packageRoot(), 'packaging', 'scenarios', 'files'));
  const directory = await mkdtemp(join(tmpdir(), 'kubeparcel-test-'));
  try {
    // Other users in the container (such as _apt) read it.
    await chmod(directory, 0o755);
    const maker = setMaker({
      packages: options.packages,
      sample: options.sample,
      minors,
      official,
      directory,
      onBuild: (set, target) => onEvent({ kind: 'set-building', set, target }),
      ...(signal === undefined ? {} : { signal }),
    });
    const plan = await planWithSets(options, maker, minors);
    onEvent({ kind: 'scenarios-planned', jobs: plan.jobs.map(jobName), leftOut: plan.leftOut });
    const context = {
      engine,
      packages: catalog.packages.map(({ name }) => name),
      helpers,
      controlPlane: options.controlPlane,
      run: randomBytes(4).toString('hex'),
      keep: options.keep ?? false,
      onEvent,
      signal,
    };
    const limit = pLimit(options.jobs);
    const results = new Map<ScenarioJob, ScenarioResult>();
    const running = longestFirst(plan.jobs, options.durations ?? new Map()).map((job) =>
      limit(async () => {
        signal?.throwIfAborted();
        const sets = new Map<PackageSet, HostSet>();
        for (const name of job.sets) sets.set(name, await maker.set(job.host, name));
        const empty = await maker.empty(job.host);
        results.set(job, await runScenario(job, { ...context, sets, empty }));
      }),
    );
    const ended = await Promise.allSettled(running);
    for (const one of ended) if (one.status === 'rejected') throw one.reason;
    const scenarios = plan.jobs.flatMap((job) => results.get(job) ?? []);
    return {
      scenarios,
      leftOut: plan.leftOut,
      milliseconds: Math.round(performance.now() - started),
      passed: scenarios.every(({ outcome }) => outcome === 'passed'),
    };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function planWithSets(options: RunScenariosOptions, maker: SetMaker, minors: KnownMinors): Promise<Plan> {
  const { engine, hosts, scenarios, controlPlane } = options;
  const current = new Map<string, HostSet>();
  for (const host of hosts) current.set(host.id, await maker.set(host, 'current'));
  return planScenarios({
    hosts,
    scenarios,
    payloadOn: (host) => current.get(host.id)?.payload ?? 'sample',
    withoutSet: (host, name) => {
      const base = current.get(host.id);
      if (base === undefined || base.packages.length === 0) return `no packages for this host in ${base?.source}`;
      return name === 'current' || setRecipe(name, base, minors) !== undefined
        ? undefined
        : `${base.version}-${base.revision} has no ${name}`;
    },
    withoutSystemd: engine.withoutSystemd,
    hasControlPlane: controlPlane !== undefined,
  });
}

function jobName({ host, scenario }: ScenarioJob): JobName {
  return { host: host.id, scenario: scenario.name, group: scenario.group, title: scenario.title };
}

/** Estimated milliseconds per step without a measurement. */
const DEFAULT_STEP_TIME = 600;

/** Starts long scenarios first, so that no long scenario runs last. */
function longestFirst(jobs: readonly ScenarioJob[], durations: ReadonlyMap<string, number>): ScenarioJob[] {
  const time = ({ host, scenario, steps }: ScenarioJob) =>
    durations.get(`${host.id} ${scenario.name}`) ?? steps.length * DEFAULT_STEP_TIME;
  return [...jobs].sort((a, b) => time(b) - time(a));
}

async function readHelpers(directory: string): Promise<Map<string, string>> {
  let names: string[];
  try {
    names = await readdir(directory);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return new Map();
    throw error;
  }
  return new Map(
    await Promise.all(names.sort().map(async (name) => [name, await readFile(join(directory, name), 'utf8')] as const)),
  );
}
