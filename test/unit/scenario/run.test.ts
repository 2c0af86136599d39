import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { copy } from 'fs-extra/esm';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { loadCatalog } from '../../../src/catalog/catalog.ts';
import type { Catalog } from '../../../src/catalog/model.ts';
import type { Settings } from '../../../src/pipeline/prepare.ts';
import type { ScenarioEvent } from '../../../src/scenario/model/events.ts';
import type { ScenarioHost } from '../../../src/scenario/model/host.ts';
import { parseScenario } from '../../../src/scenario/model/load.ts';
import { type RunScenariosOptions, runScenarios } from '../../../src/scenario/run/run.ts';
import { buildSet } from '../../../src/scenario/sets/build-set.ts';
import { readPackageDirectory } from '../../../src/scenario/sets/package-directory.ts';
import { hasTool } from '../../support/tools.ts';
import { type Answering, fakeEngine } from './fake-engine.ts';

const SAMPLE: Settings = {
  version: '1.36.4',
  packages: undefined,
  architectures: ['amd64'],
  formats: ['deb'],
  distributions: undefined,
  revision: '1',
  components: {},
  source: 'sample',
  servers: {},
  digests: {},
  compression: undefined,
  fast: false,
  maintainer: 'Release Team <release@example.org>',
  restart: 'none',
  kernel: undefined,
  confgen: false,
  templates: undefined,
  packaging: undefined,
  lock: undefined,
  jobs: 2,
};

let catalog: Catalog;
let directory: string;
let own: string;
let host: ScenarioHost;

beforeAll(async () => {
  catalog = await loadCatalog();
  const distribution = catalog.distributions.find(({ id }) => id === 'debian-12');
  if (distribution === undefined) throw new Error('no debian-12');
  host = { id: 'debian-12', image: 'an-image', manager: 'apt', program: 'apt', distribution, architecture: 'amd64' };
  directory = mkdtempSync(join(tmpdir(), 'kubeparcel-scenario-'));
  own = join(directory, 'tmp');
  await mkdir(own);
  vi.stubEnv('TMPDIR', own);
  await buildSet(SAMPLE, join(directory, 'packages'));
});
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(directory, { recursive: true, force: true });
});

async function run(steps: string, answer?: Answering, more: Partial<RunScenariosOptions> = {}) {
  const engine = fakeEngine(answer);
  const events: ScenarioEvent[] = [];
  const scenario = parseScenario(`title: t\ngroup: install\nwhy: w\n${steps}`, 't.yaml', 't');
  const results = await runScenarios({
    engine,
    hosts: [host],
    scenarios: [scenario],
    packages: { kind: 'directories', deb: join(directory, 'packages') },
    sample: SAMPLE,
    jobs: 2,
    onEvent: (event) => events.push(event),
    ...more,
  });
  const [result] = results.scenarios;
  return { engine, events, results, result };
}

/** Directories of runs; other tests of this machine have their own at the same time. */
function leftBehind(): string[] {
  return readdirSync(own).filter((name) => name.startsWith('kubeparcel-test-'));
}

const ready = hasTool('apt-ftparchive');

describe.skipIf(!ready)('a run of scenarios', () => {
  test('a package manager gets a repository once, then names, versions or files of packages', async () => {
    const { engine, result } = await run(
      'steps:\n  - install: all\n  - install: kubectl\n  - change: [kubelet]\n    to: next-revision\n  - remove: all\n    purge: true\n  - install: kubelet\n    via: low-level\n',
    );
    expect(result).toMatchObject({ outcome: 'passed', stepCount: 5, fault: '', kept: undefined });
    const lines = engine.commands.map((command) => command.filter((word) => !word.startsWith('-o=')).join(' '));
    expect(lines.map((line) => line.replace(/^sh -c [\s\S]* write /, 'write '))).toEqual([
      'write /etc/apt/sources.list.d/kubeparcel.list 0644',
      'apt-get --yes --quiet update',
      'apt-get --yes --quiet install cri-tools kubeadm kubectl kubelet kubernetes-cni',
      'apt-get --yes --quiet install kubectl',
      'write /etc/apt/sources.list.d/kubeparcel.list 0644',
      'apt-get --yes --quiet update',
      'apt-get --yes --quiet --allow-downgrades install kubelet=1.36.4-2',
      'apt-get --yes --quiet purge cri-tools kubeadm kubectl kubelet kubernetes-cni',
      'dpkg --force-confdef --force-confold --install /srv/kubeparcel/packages/current/kubelet_1.36.4-1_amd64.deb',
    ]);
    expect(engine.started[0]).toMatchObject({
      image: 'an-image',
      init: 'systemd',
      labels: { host: 'debian-12', scenario: 't' },
    });
    expect(engine.started[0]?.mounts?.map(({ target }) => target)).toEqual([
      '/srv/kubeparcel/packages/current',
      '/srv/kubeparcel/packages/next-revision',
      '/srv/kubeparcel/packages/none',
    ]);
    expect(engine.removed).toHaveLength(1);
  });

  test('consecutive checks run in one call', async () => {
    const { engine } = await run('steps:\n  - command: [a]\n  - command: [b, "c d"]\n  - command: [e]\n');
    expect(engine.calls()).toBe(1);
    expect(engine.commands).toEqual([['a'], ['b', 'c d'], ['e']]);
  });

  test('a check that had to wait makes later checks probe again', async () => {
    let looks = 0;
    const { engine, result } = await run('steps:\n  - command: [a]\n  - command: [b]\n', ([program]) =>
      program === 'a' && looks++ < 2 ? { status: 1 } : {},
    );
    expect(result?.outcome).toBe('passed');
    expect(engine.commands.map(([program]) => program).join('')).toBe('abaab');
  });

  test('a check with `for` must succeed for the whole time', async () => {
    let looks = 0;
    const { result } = await run('steps:\n  - command: [a]\n    for: 1\n', () => (++looks > 2 ? { status: 7 } : {}));
    expect(result?.steps[0]).toMatchObject({ ok: false, error: 'it succeeded, but not for 1 s' });
  });

  test('a failed action ends the scenario, a failed check does not', async () => {
    const answer: Answering = ([program]) => (program === 'bad' ? { status: 3, stderr: 'alas\n' } : {});
    const checks = await run('steps:\n  - command: [bad]\n    within: 0\n  - command: [good]\n', answer);
    expect(checks.result?.steps.map(({ ok }) => ok)).toEqual([false, true]);
    const action = await run('steps:\n  - run: [bad]\n  - run: [good]\n', answer);
    expect(action.result).toMatchObject({
      outcome: 'failed',
      stepCount: 2,
      fault: 'step 1, run bad: status: expected 0, found 3',
    });
    expect(action.result?.steps).toMatchObject([
      { ok: false, commands: [{ command: ['bad'], status: 3, stderr: 'alas' }] },
    ]);
    expect(action.results.passed).toBe(false);
    expect(action.engine.removed).toHaveLength(1);
  });

  test('an action that must fail and succeeds is a failure', async () => {
    const { result } = await run('steps:\n  - remove: all\n    fails: true\n');
    expect(result?.fault).toBe('step 1, remove all: status: expected a failure, found status 0');
  });

  test('placeholders get values from the packages and the host', async () => {
    const { engine } = await run(
      'steps:\n  - run: [echo, "{env-file} {drop-in} {version} {package-version:cri-tools} {minor@previous-minor} {file:kubectl}"]\n',
    );
    expect(engine.commands).toEqual([
      [
        'echo',
        '/etc/default/kubelet /usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf 1.36.4 1.36.0-1 1.35 /srv/kubeparcel/packages/current/kubectl_1.36.4-1_amd64.deb',
      ],
    ]);
  });

  test('environment and umask apply to every command', async () => {
    const seen: unknown[] = [];
    const container = "container: { umask: '077', environment: { LANG: tr_TR.UTF-8 } }\n";
    await run(`${container}steps:\n  - run: [a, b]\n    environment: { X: y }\n`, (command, { environment }) => {
      seen.push(command, environment);
      return {};
    });
    expect(seen).toEqual([
      ['sh', '-c', 'umask 077; exec "$@"', 'with-umask', 'a', 'b'],
      { LANG: 'tr_TR.UTF-8', X: 'y' },
    ]);
  });

  test('a package that is not in the set fails the scenario', async () => {
    const { result } = await run('steps:\n  - install: kubefed\n');
    expect(result?.fault).toContain('package kubefed is not in the set current');
  });

  test('a scenario that exceeds its timeout fails', async () => {
    const { engine, result } = await run('timeout: 0.2\nsteps:\n  - run: [a]\n', async ([program], { signal }) => {
      if (program !== 'a') return {};
      await new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
      return {};
    });
    expect(result).toMatchObject({ outcome: 'failed', fault: 'timed out after 0.2 s' });
    expect(engine.removed).toHaveLength(1);
  });

  test('an interrupted run leaves no container and no file', async () => {
    const controller = new AbortController();
    const engine = fakeEngine(() => {
      controller.abort();
      return {};
    });
    const running = run('steps:\n  - run: [a]\n', undefined, { signal: controller.signal, engine });
    await expect(running).rejects.toThrow();
    expect(engine.removed).toEqual(engine.started.map(({ name }) => name));
    expect(leftBehind()).toEqual([]);
  });

  test('the container of a failed scenario is kept on request', async () => {
    const answer: Answering = ([program]) => (program === 'bad' ? { status: 1 } : {});
    const bad = await run('steps:\n  - run: [bad]\n', answer, { keep: true });
    expect(bad.engine.removed).toEqual([]);
    expect(bad.result).toMatchObject({
      kept: bad.engine.started[0]?.name,
      enter: ['podman', 'exec', bad.engine.started[0]?.name],
    });
    expect(bad.engine.started[0]?.labels).toMatchObject({ keep: 'yes' });
    expect((await run('steps:\n  - run: [good]\n', answer, { keep: true })).engine.removed).toHaveLength(1);
  });

  test('the number of concurrent scenarios is limited', async () => {
    const scenarios = ['a', 'b', 'c', 'd'].map((name) =>
      parseScenario('title: t\ngroup: install\nwhy: w\nsteps: [{ run: [x] }]\n', 't', name),
    );
    const pause = async () => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      return {};
    };
    const { engine, results } = await run('steps: [{ wait: 1 }]\n', undefined, {
      scenarios,
      engine: fakeEngine(pause),
    });
    expect(engine.started).toHaveLength(0);
    expect(results.scenarios.map(({ scenario }) => scenario)).toEqual(['a', 'b', 'c', 'd']);
  });

  test('each host uses the package built for it', async () => {
    const mixed = join(directory, 'mixed');
    await mkdir(mixed);
    await copy(join(directory, 'packages'), mixed);
    await buildSet({ ...SAMPLE, distributions: ['debian-12', 'debian-11'], packages: ['kubelet'] }, mixed);
    writeFileSync(join(mixed, 'notes.txt'), 'no package\n');
    expect(await readPackageDirectory(mixed)).toHaveLength(7);
    const packages = { kind: 'directories', deb: mixed } as const;
    const { engine } = await run(
      'steps:\n  - run: [echo, "{package-version:kubelet} {package-version:kubectl}"]\n',
      undefined,
      { packages },
    );
    expect(engine.commands).toEqual([['echo', '1.36.4-1~debian12 1.36.4-1']]);
  });

  test('a host without packages is skipped with a reason', async () => {
    const { results } = await run('steps: [{ wait: 1 }]\n', undefined, {
      packages: { kind: 'directories', rpm: directory },
    });
    expect(results).toMatchObject({
      scenarios: [],
      leftOut: [{ reason: 'no packages for this host in the given packages, which have no deb' }],
    });
  });
});
