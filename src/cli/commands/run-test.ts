import { readdir, stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { loadCatalog } from '../../catalog/catalog.ts';
import { normalName } from '../../catalog/distribution.ts';
import type { Catalog } from '../../catalog/model.ts';
import { findEngine } from '../../container/find-engine.ts';
import { type HostImage, loadHosts } from '../../container/images/hosts.ts';
import { type ImageChoice, prepareImages } from '../../container/images/prepare-images.ts';
import type { Architecture } from '../../model/architecture.ts';
import type { Settings } from '../../pipeline/prepare.ts';
import type { Results } from '../../scenario/model/events.ts';
import { scenarioHost } from '../../scenario/model/host.ts';
import { loadScenarios } from '../../scenario/model/load.ts';
import type { Scenario } from '../../scenario/model/scenario.ts';
import { durationsFile, readDurations, rememberDurations } from '../../scenario/report/durations.ts';
import { junitOf } from '../../scenario/report/junit.ts';
import { reportOf } from '../../scenario/report/report.ts';
import { runScenarios } from '../../scenario/run/run.ts';
import type { PackagesUnderTest } from '../../scenario/sets/host-sets.ts';
import { EXIT_STATUS, KubeparcelError } from '../../support/errors.ts';
import { packageRoot } from '../../support/package-root.ts';
import { writeAtomically } from '../../support/write-atomically.ts';
import { checkWholeNumber } from '../options/flags.ts';
import { availableHosts } from '../options/hosts.ts';
import { ownArchitecture, resolveSettings } from '../options/resolve-settings.ts';
import { renderResults, renderScenarios } from '../render/test.ts';
import { testView } from '../render/test-progress.ts';
import { interruptible } from '../session/interruption.ts';

export interface TestArguments {
  release: string | undefined;
  distro: string[] | undefined;
  scenario: string[] | undefined;
  packages: string | undefined;
  source: string | undefined;
  'control-plane': string | undefined;
  images: ImageChoice;
  jobs: number | undefined;
  keep: boolean;
  junit: string | undefined;
  report: string | undefined;
  config: string | undefined;
  list: boolean;
  clean: boolean;
  json: boolean;
}

/** Runs `kubeparcel test`. */
export async function runTest(args: TestArguments): Promise<void> {
  const scenarios = await selectScenarios(args.scenario);
  const jobs = args.jobs ?? availableParallelism();
  checkWholeNumber('jobs', jobs, 1);
  const { settings, architecture } = await buildSettings(args);
  const packages = await packagesUnderTest(args.packages, settings);
  const controlPlane = await controlPlaneDirectory(args, settings, architecture);
  const catalog = await loadCatalog(settings.packaging);
  const engine = await findEngine();
  const signal = interruptible();
  // Containers of killed runs still use memory and CPU time.
  await engine.clean('dead-runs');
  const images = await selectHosts(catalog, args.distro, args.images);
  const view = testView(args);
  try {
    if (!args.json) for (const note of engine.notes) process.stderr.write(`engine      ${note}\n`);
    const { onEvent } = view;
    const prepared = await prepareImages(engine, images, { images: args.images, onEvent, signal });
    const file = durationsFile();
    const results = await runScenarios({
      engine,
      hosts: prepared.map((image) => scenarioHost(image, catalog, architecture)),
      scenarios,
      packages,
      sample: { ...settings, source: 'sample', servers: {}, digests: {}, lock: undefined },
      jobs,
      keep: args.keep,
      controlPlane,
      durations: await readDurations(file),
      onEvent,
      signal,
    });
    view.stop();
    await rememberDurations(file, results.scenarios);
    await writeReports(args, results);
    if (!args.json) process.stdout.write(`${renderResults(results)}\n`);
    if (!results.passed) process.exitCode = EXIT_STATUS.test;
  } finally {
    view.stop();
  }
}

/** Runs `kubeparcel test --list`. */
export async function listScenarios(args: TestArguments): Promise<void> {
  const scenarios = await selectScenarios(args.scenario);
  const lines = scenarios.map(({ name, group, title, why, hosts }) =>
    JSON.stringify({ name, group, title, why, hosts }),
  );
  process.stdout.write(`${args.json ? lines.join('\n') : renderScenarios(scenarios)}\n`);
}

/** Runs `kubeparcel test --clean`. */
export async function cleanContainers(): Promise<void> {
  const removed = await (await findEngine()).clean('over');
  const lines = removed.length === 0 ? ['nothing to remove'] : removed.map((name) => `removed  ${name}`);
  process.stdout.write(`${lines.join('\n')}\n`);
}

async function writeReports(args: TestArguments, results: Results): Promise<void> {
  const subject = args.packages ?? args.release ?? 'the sample';
  if (args.junit !== undefined) await writeAtomically(args.junit, [Buffer.from(junitOf(results))]);
  if (args.report !== undefined) await writeAtomically(args.report, [Buffer.from(reportOf(results, subject))]);
}

/** Settings for building the packages: of the given release, or of the sample. */
async function buildSettings(args: TestArguments): Promise<{ settings: Settings; architecture: Architecture }> {
  const { settings } = await resolveSettings({
    release: args.release,
    source: args.source ?? (args.release === undefined ? 'sample' : undefined),
    config: args.config,
    packages: undefined,
    arch: undefined,
    formats: ['deb', 'rpm'],
    distro: undefined,
    revision: undefined,
    compression: undefined,
    fast: undefined,
    restart: undefined,
    'without-confgen': false,
    jobs: undefined,
    locked: false,
    lock: 'kubeparcel.lock',
    json: args.json,
  });
  const architecture = ownArchitecture();
  return {
    settings: { ...settings, packages: undefined, architectures: [architecture], distributions: undefined },
    architecture,
  };
}

async function packagesUnderTest(directory: string | undefined, settings: Settings): Promise<PackagesUnderTest> {
  if (directory === undefined) return { kind: 'build', settings };
  const names = await readdir(directory).catch((cause: unknown): never => {
    throw new KubeparcelError('usage', 'cannot read the directory of packages', { where: directory, cause });
  });
  if (!names.some((name) => /\.(deb|rpm)$/.test(name))) {
    throw new KubeparcelError('usage', 'no .deb or .rpm files in the directory', {
      where: directory,
      hint: 'use the output directory of kubeparcel build',
    });
  }
  return { kind: 'directories', deb: directory, rpm: directory };
}

/** --control-plane, or the directory that `npm run real-payload` writes beside the binaries. */
async function controlPlaneDirectory(
  args: TestArguments,
  { source }: Settings,
  architecture: Architecture,
): Promise<string | undefined> {
  const named = args['control-plane'];
  const directory = resolve(named ?? join(source, 'control-plane', architecture));
  const found = await stat(join(directory, 'kube-apiserver')).catch(() => undefined);
  if (found !== undefined) return directory;
  if (named === undefined) return undefined;
  throw new KubeparcelError('usage', 'no kube-apiserver in the directory', { where: named });
}

/** @throws KubeparcelError of kind 'usage' for an unknown scenario or group */
async function selectScenarios(names: readonly string[] | undefined): Promise<readonly Scenario[]> {
  const scenarios = await loadScenarios(join(packageRoot(), 'packaging', 'scenarios'));
  if (names === undefined || names.length === 0) return scenarios;
  const unknown = names.find((name) => !scenarios.some((one) => one.name === name || one.group === name));
  if (unknown !== undefined) {
    throw new KubeparcelError('usage', `unknown scenario or group ${JSON.stringify(unknown)}`, {
      where: '--scenario',
      hint: 'list them with kubeparcel test --list',
    });
  }
  return scenarios.filter(({ name, group }) => names.includes(name) || names.includes(group));
}

/**
 * Hosts by name, package manager or format; by default all that are available.
 *
 * @throws KubeparcelError of kind 'usage' for an unknown name, or when no host is available
 */
async function selectHosts(
  catalog: Catalog,
  names: readonly string[] | undefined,
  choice: ImageChoice,
): Promise<HostImage[]> {
  const hosts = await loadHosts(catalog);
  const wanted = names?.map((name) => ({ name, normal: normalName(name) })) ?? [];
  const words = ({ id, manager, format }: HostImage) => [id, manager, format].map(normalName);
  const unknown = wanted.find(({ normal }) => !hosts.some((host) => words(host).includes(normal)));
  if (unknown !== undefined) {
    throw new KubeparcelError('usage', `unknown host ${JSON.stringify(unknown.name)}`, {
      where: '--distro',
      hint: `expected ${hosts.map(({ id }) => id).join(', ')}, or apt, dnf, zypper, deb, rpm`,
    });
  }
  const selected = hosts.filter(
    (host) => wanted.length === 0 || wanted.some(({ normal }) => words(host).includes(normal)),
  );
  const isNamed = (host: HostImage) => wanted.some(({ normal }) => normalName(host.id) === normal);
  const found = await availableHosts(selected, choice, isNamed);
  if (found.length > 0) return found;
  throw new KubeparcelError('usage', 'none of the hosts is available', {
    hint: 'list the hosts with kubeparcel images ls; --images local needs no registry',
  });
}
