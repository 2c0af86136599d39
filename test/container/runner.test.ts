import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadCatalog } from '../../src/catalog/catalog.ts';
import type { Engine } from '../../src/container/engine.ts';
import { findEngine } from '../../src/container/find-engine.ts';
import { loadHosts } from '../../src/container/images/hosts.ts';
import { prepareImages } from '../../src/container/images/prepare-images.ts';
import type { Settings } from '../../src/pipeline/prepare.ts';
import type { Results } from '../../src/scenario/model/events.ts';
import { type ScenarioHost, scenarioHost } from '../../src/scenario/model/host.ts';
import { parseScenario } from '../../src/scenario/model/load.ts';
import { runScenarios } from '../../src/scenario/run/run.ts';

/** Hosts on which each verb must succeed and fail. */
const HOSTS = ['debian-12', 'dnf-on-debian-12', 'zypper-on-debian-12'];

const SAMPLE: Settings = {
  version: '1.36.4',
  packages: undefined,
  architectures: ['amd64'],
  formats: undefined,
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

let engine: Engine;
let hosts: ScenarioHost[];

beforeAll(async () => {
  const catalog = await loadCatalog();
  engine = await findEngine();
  const images = (await loadHosts(catalog)).filter(({ id }) => HOSTS.includes(id));
  const prepared = await prepareImages(engine, images, { images: 'local' });
  hosts = prepared.map((image) => scenarioHost(image, catalog, 'amd64'));
});

async function run(steps: string, options: { keep?: boolean; signal?: AbortSignal } = {}): Promise<Results> {
  const scenario = parseScenario(`title: t\ngroup: install\nwhy: w\n${steps}`, 'runner.yaml', 'runner');
  const packages = { kind: 'build', settings: SAMPLE } as const;
  return await runScenarios({ engine, hosts, scenarios: [scenario], packages, sample: SAMPLE, jobs: 2, ...options });
}

/** The fault of each host; empty if there is none. */
function faults({ scenarios }: Results): Record<string, string> {
  return Object.fromEntries(scenarios.map(({ host, fault }) => [host, fault]));
}

const NONE = Object.fromEntries(HOSTS.map((host) => [host, '']));

describe('package managers', () => {
  test('install, upgrade, downgrade, hold and remove all packages in every supported way', async () => {
    const results = await run(`steps:
  - snapshot: before
  - install: all
    from: previous-minor
  - package: kubelet
    from: previous-minor
  - change: all
    to: current
  - consistent: all
  - reinstall: [kubelet]
  - change: [kubelet, kubeadm]
    to: next-revision
    via: files
  - package: kubelet
    version: "{package-version@next-revision}"
  - change: all
    to: previous-patch
  - package: kubeadm
    from: previous-patch
  - change: all
    to: current
    via: low-level
  - package: kubectl
    from: current
  - hold: kubectl
  - upgrade-all: next-revision
  - package: kubelet
    from: next-revision
  - package: kubectl
    from: current
  - end-hold: kubectl
  - upgrade-all: next-revision
  - package: kubectl
    from: next-revision
  - remove: all
    purge: true
  - package: kubelet
    installed: false
  - same-files: before
    but: [/opt, /etc/sysconfig, /usr/share/licenses, /var/lib/kubelet, /etc/kubernetes, /etc/kubernetes/manifests, /opt/cni, /etc/cni, "/var/lib/systemd/**", "/etc/dnf/**", "/etc/yum.repos.d/**", "/etc/zypp/**", "/var/lib/apt/**"]
  - repository: none
  - title: Install from a file without its dependencies
    install: kubelet
    via: files
    fails: true
    output: { contains: kubernetes-cni }
`);
    expect(faults(results)).toEqual(NONE);
  });
});

describe('checks', () => {
  test('find changed files and a restarted process', async () => {
    const results = await run(`steps:
  - install: all
  - write: /etc/test/a b
    text: "one\\n"
    mode: "0640"
  - file: /etc/test/a b
    mode: "0640"
    owner: root:root
    text: one
  - snapshot: before
  - run: [sh, -c, "systemctl start kubelet"]
  - remember-process: first
  - process: kubelet
    arguments-end: [--config=/var/lib/kubelet/config.yaml]
    same-as: first
  - process: kubelet
    restarted-since: first
    within: 0
  - run: [systemctl, restart, kubelet]
  - process: kubelet
    restarted-since: first
  - journal: kubelet
    text: { contains: "not the kubelet" }
  - file: /etc/test/a b
    unchanged-since: before
  - write: /etc/test/a b
    text: "two\\n"
    mode: "0640"
  - run: [ln, -s, /nowhere, /etc/test/link]
  - delete: /etc/issue
  - file: /etc/test/a b
    unchanged-since: before
    within: 0
  - same-files: before
    within: 0
  - run: [sh, -c, "printf x >>/usr/bin/kubectl"]
  - consistent: all
    within: 0
  - package: kubectl
    from: next-revision
    within: 0
`);
    for (const { host, steps } of results.scenarios) {
      const failed = steps.filter(({ ok }) => !ok);
      expect([host, ...failed.map(({ verb }) => verb)]).toEqual([
        host,
        'process',
        'file',
        'same-files',
        'consistent',
        'package',
      ]);
      const differing = failed.find(({ verb }) => verb === 'same-files')?.findings.filter(({ ok }) => !ok) ?? [];
      expect(differing.map(({ what }) => what)).toEqual(expect.arrayContaining(['/etc/test/a b', '/etc/test/link']));
      expect(differing.find(({ what }) => what === '/etc/test/link')).toMatchObject({
        expected: 'absent',
        found: 'l 777 root:root /nowhere',
      });
    }
  });

  test('work without systemd, with a small disk, a umask and a locale', async () => {
    const results = await run(`container:
  init: none
  umask: "077"
  tmpfs: [{ path: /small, size: 64K }]
  environment: { LC_ALL: C.UTF-8 }
steps:
  - run: [sh, -c, "umask; echo $LC_ALL; df --output=size --block-size=1K /small | tail -1"]
    stdout: { matches: ["^0?077$", "^C.UTF-8$", "^ *64$"] }
  - install: all
  - package: kubelet
  - run: [cp, /bin/sh, /small/sh]
    status: 1
    stderr: { contains: No space left }
`);
    expect(faults(results)).toEqual(NONE);
  });
});

describe('containers', () => {
  const kept: string[] = [];
  afterAll(async () => {
    for (const name of kept) await (await engine.attach(name)).remove();
  });

  test('are removed after an interrupted run', async () => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(new Error('enough')), 4000);
    await expect(run('steps:\n  - run: [sleep, "100"]\n', { signal: controller.signal })).rejects.toThrow('enough');
    const names = (await engine.listContainers()).filter(({ labels }) => labels.scenario === 'runner');
    expect(names).toEqual([]);
  });

  test('of failed scenarios are kept with keep', async () => {
    const results = await run('steps:\n  - write: /root/note\n    text: here\n  - run: ["false"]\n', { keep: true });
    for (const result of results.scenarios) {
      if (result.kept !== undefined) kept.push(result.kept);
      expect(result).toMatchObject({ outcome: 'failed', kept: expect.stringContaining('runner') });
      const found = await (await engine.attach(result.kept ?? '')).exec(['cat', '/root/note']);
      expect(found.stdout).toBe('here');
    }
  });
});
