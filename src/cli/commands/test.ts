import { availableParallelism } from 'node:os';
import type { Argv, CommandModule } from 'yargs';
import type { HostImage } from '../../container/images/hosts.ts';
import type { ImageChoice } from '../../container/images/prepare-images.ts';
import type { Architecture } from '../../model/architecture.ts';
import type { Settings } from '../../pipeline/prepare.ts';
import type { Results } from '../../scenario/model/events.ts';
import type { Scenario } from '../../scenario/model/scenario.ts';
import type { PackagesUnderTest } from '../../scenario/sets/host-sets.ts';
import { EXIT_STATUS, KubeparcelError } from '../../support/errors.ts';
import { packageRoot } from '../../support/package-root.ts';
import { LIST, WORD } from '../options/release-options.ts';
import { interruptible } from '../session/interruption.ts';
import { shellCommand } from './test-shell.ts';

interface TestArguments {
  release: string | undefined;
  distro: string[] | undefined;
  scenario: string[] | undefined;
  packages: string | undefined;
  source: string | undefined;
  'control-plane': string | undefined;
  images: string;
  jobs: number | undefined;
  keep: boolean;
  junit: string | undefined;
  report: string | undefined;
  config: string | undefined;
  list: boolean;
  clean: boolean;
  json: boolean;
}

export const testCommand: CommandModule<object, TestArguments> = {
  command: 'test [release]',
  describe: 'Install, run, upgrade and remove packages on real hosts in containers',
  builder: (yargs) => options(yargs.command(shellCommand)),
  handler: async (args) => {
    if (args.clean) return await clean();
    const { loadScenarios } = await import('../../scenario/model/load.ts');
    const { join } = await import('node:path');
    const scenarios = chosen(await loadScenarios(join(packageRoot(), 'packaging', 'scenarios')), args.scenario);
    if (args.list) return await list(scenarios, args.json);
    await test(args, scenarios);
  },
};

function options(yargs: Argv): Argv<TestArguments> {
  return yargs
    .positional('release', {
      type: 'string',
      describe: 'What is built and tested: v1.36.4, 1.36, stable',
      defaultDescription: 'the embedded sample',
    })
    .option('distro', {
      type: 'string',
      ...LIST,
      describe: 'Hosts: debian-12, dnf, deb, ...; see kubeparcel images ls',
      defaultDescription: 'all that can be had',
    })
    .option('scenario', {
      type: 'string',
      ...LIST,
      describe: 'Scenarios by name or group; see --list',
      defaultDescription: 'all',
    })
    .option('packages', { ...WORD, describe: 'Test the .deb and .rpm files of this directory' })
    .option('source', { ...WORD, describe: 'Where a release comes from, as build has it' })
    .option('control-plane', {
      ...WORD,
      describe: 'A directory with etcd, kube-apiserver and kube-controller-manager',
    })
    .option('images', {
      ...WORD,
      choices: ['auto', 'vendor', 'local'],
      default: 'auto',
      describe: "The vendors' images, made here, or whichever can be had",
    })
    .option('jobs', { ...WORD, type: 'number', describe: 'Scenarios at a time', defaultDescription: 'one per core' })
    .option('keep', { type: 'boolean', default: false, describe: 'Keep the containers of scenarios that fail' })
    .option('junit', { ...WORD, describe: 'Write a JUnit file' })
    .option('report', { ...WORD, describe: 'Write a report: each check, and how to look for oneself' })
    .option('config', { ...WORD, describe: 'Settings', defaultDescription: 'kubeparcel.yaml, if it is there' })
    .option('list', { type: 'boolean', default: false, describe: 'Show the scenarios, and stop' })
    .option('clean', { type: 'boolean', default: false, describe: 'Remove what earlier runs kept or left, and stop' })
    .option('json', { type: 'boolean', default: false, describe: 'Events as JSON, one a line' })
    .conflicts('packages', ['release', 'source'])
    .example('$0 test', 'The sample, every scenario, every host that can be had')
    .example('$0 test --packages dist --distro debian-12', 'What was built, on one host')
    .example('$0 test --scenario upgrade --keep', 'One group; what fails stays to be looked at')
    .example('$0 test shell NAME', 'A shell in a container that was kept')
    .epilogue('Ends with 8 when a check failed. docs/testing.md explains scenarios, docs/containers.md the hosts.');
}

async function test(args: TestArguments, scenarios: readonly Scenario[]): Promise<void> {
  const { findEngine } = await import('../../container/find-engine.ts');
  const { prepareImages } = await import('../../container/images/prepare-images.ts');
  const { loadCatalog } = await import('../../catalog/catalog.ts');
  const { scenarioHost } = await import('../../scenario/model/host.ts');
  const { runScenarios } = await import('../../scenario/run/run.ts');
  const { durationsFile, readDurations, rememberDurations } = await import('../../scenario/report/durations.ts');
  const { testView } = await import('../render/test-progress.ts');
  const { renderResults } = await import('../render/test.ts');
  const jobs = args.jobs ?? availableParallelism();
  if (!Number.isInteger(jobs) || jobs < 1) {
    throw new KubeparcelError('usage', 'not a number of scenarios', { where: '--jobs', hint: 'write 1 or more' });
  }
  const { settings, architecture } = await buildSettings(args);
  const catalog = await loadCatalog(settings.packaging);
  const engine = await findEngine();
  const signal = interruptible();
  // What a killed run left behind takes memory, and its processes time.
  await engine.clean('dead-runs');
  const images = await hostImages(catalog, args.distro, args.images as ImageChoice);
  const view = testView(args);
  try {
    if (!args.json) for (const note of engine.notes) process.stderr.write(`engine      ${note}\n`);
    const { onEvent } = view;
    const prepared = await prepareImages(engine, images, { images: args.images as ImageChoice, onEvent, signal });
    const file = durationsFile();
    const results = await runScenarios({
      engine,
      hosts: prepared.map((image) => scenarioHost(image, catalog, architecture)),
      scenarios,
      packages: await underTest(args.packages, settings),
      sample: { ...settings, source: 'sample', servers: {}, digests: {}, lock: undefined },
      jobs,
      keep: args.keep,
      controlPlane: await controlPlane(args, settings, architecture),
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

async function writeReports(args: TestArguments, results: Results): Promise<void> {
  const { writeAtomically } = await import('../../support/write-atomically.ts');
  const { junitOf } = await import('../../scenario/report/junit.ts');
  const { reportOf } = await import('../../scenario/report/report.ts');
  const subject = args.packages ?? args.release ?? 'the sample';
  if (args.junit !== undefined) await writeAtomically(args.junit, [Buffer.from(junitOf(results))]);
  if (args.report !== undefined) await writeAtomically(args.report, [Buffer.from(reportOf(results, subject))]);
}

/** A release that is named comes from where build takes it; without one it is the sample. */
async function buildSettings(args: TestArguments): Promise<{ settings: Settings; architecture: Architecture }> {
  const { ownArchitecture, settingsFrom } = await import('../options/resolve-settings.ts');
  const { settings } = await settingsFrom({
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

async function underTest(directory: string | undefined, settings: Settings): Promise<PackagesUnderTest> {
  if (directory === undefined) return { kind: 'build', settings };
  const { readdir } = await import('node:fs/promises');
  const names = await readdir(directory).catch((cause: unknown): never => {
    throw new KubeparcelError('usage', 'no directory of packages', { where: directory, cause });
  });
  if (!names.some((name) => /\.(deb|rpm)$/.test(name))) {
    throw new KubeparcelError('usage', 'no .deb and no .rpm in the directory', {
      where: directory,
      hint: 'name the directory that kubeparcel build wrote to',
    });
  }
  return { kind: 'directories', deb: directory, rpm: directory };
}

/** What was named; else what npm run real-payload put beside the binaries that the packages are built from. */
async function controlPlane(
  args: TestArguments,
  { source }: Settings,
  architecture: Architecture,
): Promise<string | undefined> {
  const { stat } = await import('node:fs/promises');
  const { join, resolve } = await import('node:path');
  const named = args['control-plane'];
  const directory = resolve(named ?? join(source, 'control-plane', architecture));
  const found = await stat(join(directory, 'kube-apiserver')).catch(() => undefined);
  if (found !== undefined) return directory;
  if (named === undefined) return undefined;
  throw new KubeparcelError('usage', 'no kube-apiserver in the directory', { where: named });
}

/** @throws KubeparcelError of kind 'usage' for a name that no scenario and no group has */
function chosen(scenarios: readonly Scenario[], names: readonly string[] | undefined): Scenario[] {
  if (names === undefined || names.length === 0) return [...scenarios];
  const strange = names.find((name) => !scenarios.some((one) => one.name === name || one.group === name));
  if (strange !== undefined) {
    throw new KubeparcelError('usage', `there is no scenario and no group ${strange}`, {
      hint: 'kubeparcel test --list shows them',
    });
  }
  return scenarios.filter(({ name, group }) => names.includes(name) || names.includes(group));
}

async function list(scenarios: readonly Scenario[], json: boolean): Promise<void> {
  const { renderScenarios } = await import('../render/test.ts');
  const lines = scenarios.map(({ name, group, title, why, hosts }) =>
    JSON.stringify({ name, group, title, why, hosts }),
  );
  process.stdout.write(`${json ? lines.join('\n') : renderScenarios(scenarios)}\n`);
}

/** The hosts that were named (by name, package manager or format); else all whose image can be had. */
async function hostImages(
  catalog: Awaited<ReturnType<typeof import('../../catalog/catalog.ts')['loadCatalog']>>,
  names: readonly string[] | undefined,
  choice: ImageChoice,
): Promise<HostImage[]> {
  const { loadHosts } = await import('../../container/images/hosts.ts');
  const { normalName } = await import('../../catalog/distribution.ts');
  const { registryAnswers, registryOf } = await import('../../container/images/registry.ts');
  const hosts = await loadHosts(catalog);
  const words = ({ id, manager, format }: HostImage) => [id, manager, format].map(normalName);
  const strange = names?.find((name) => !hosts.some((host) => words(host).includes(normalName(name))));
  if (strange !== undefined) {
    throw new KubeparcelError('usage', `there is no host ${strange}`, {
      where: '--distro',
      hint: `name some of ${hosts.map(({ id }) => id).join(', ')}, or apt, dnf, zypper, deb, rpm`,
    });
  }
  const wanted = (host: HostImage) =>
    names === undefined || names.length === 0 || names.some((name) => words(host).includes(normalName(name)));
  const named = (host: HostImage) => names?.some((name) => normalName(host.id) === normalName(name)) ?? false;
  const answers = new Map<string, Promise<boolean>>();
  const canBeHad = async (host: HostImage) => {
    if (!wanted(host)) return false;
    // One that was named by its own name is an error where it cannot be had, and prepareImages says why.
    if (named(host) || (choice !== 'vendor' && host.local !== undefined)) return true;
    if (choice === 'local' || host.vendor === undefined) return false;
    const registry = registryOf(host.vendor.image);
    const answer = answers.get(registry) ?? registryAnswers(registry);
    answers.set(registry, answer);
    return await answer;
  };
  const possible = await Promise.all(hosts.map(canBeHad));
  const found = hosts.filter((_, index) => possible[index]);
  if (found.length > 0) return found;
  throw new KubeparcelError('usage', 'no host of these can be had', {
    hint: 'kubeparcel images ls shows which hosts there are; --images local needs no registry',
  });
}

async function clean(): Promise<void> {
  const { findEngine } = await import('../../container/find-engine.ts');
  const removed = await (await findEngine()).clean('over');
  process.stdout.write(
    removed.length === 0 ? 'nothing was left\n' : `${removed.map((name) => `removed  ${name}`).join('\n')}\n`,
  );
}
