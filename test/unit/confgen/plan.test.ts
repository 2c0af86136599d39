import { describe, expect, test } from 'vitest';
import type { Facts } from '../../../src/confgen/model/facts.ts';
import { makePlan } from '../../../src/confgen/plan/plan.ts';
import { type Changes, CONTAINERD, CRI_DOCKERD, CRIO, DATA, DOCKER, hostFacts } from './host-facts.ts';

const ENVIRONMENT = '/var/lib/kubelet-confgen/kubelet.env';
const CONFIG = '/etc/kubernetes/kubelet.conf.d/00-kubelet-confgen.conf';
const RESOLVED = '/run/systemd/resolve/resolv.conf';
const SOCKET = 'unix:///run/containerd/containerd.sock';
const STUB: NonNullable<Changes['resolver']> = {
  resolved: true,
  kind: 'link',
  target: '/run/systemd/resolve/stub-resolv.conf',
  nameservers: ['127.0.0.53'],
  loopback: true,
};

/** The lines of a planned file that are no comments; undefined where it is to be removed, '-' where nothing is said. */
function planned(facts: Facts, path: string): readonly string[] | undefined | '-' {
  const change = makePlan(facts, DATA).changes.find((each) => each.path === path);
  if (change === undefined) return '-';
  return change.kind === 'remove'
    ? undefined
    : change.text.split('\n').filter((line) => line !== '' && line[0] !== '#');
}

/** Flags that the env file adds, behind the --config that 10-kubeadm.conf has. */
function flagsOf(facts: Facts): readonly string[] {
  const lines = planned(facts, ENVIRONMENT);
  if (lines === undefined || lines === '-') return [];
  const [, words = ''] =
    /^KUBELET_CONFIG_ARGS="--config=\/var\/lib\/kubelet\/config\.yaml ?(.*)"$/.exec(lines.join()) ?? [];
  expect(words, lines.join()).not.toBe('');
  return words.split(' ');
}

/** Settings in the --config-dir directory. */
function settingsOf(facts: Facts): readonly string[] {
  const lines = planned(facts, CONFIG);
  if (lines === undefined || lines === '-') return [];
  expect(lines.slice(0, 2)).toEqual(['apiVersion: kubelet.config.k8s.io/v1beta1', 'kind: KubeletConfiguration']);
  return lines.slice(2);
}

function codes(facts: Facts, ...levels: readonly string[]): readonly string[] {
  return makePlan(facts, DATA)
    .findings.filter(({ level }) => levels.length === 0 || levels.includes(level))
    .map(({ code }) => code);
}

describe('what is written follows the version of the kubelet', () => {
  const remote = ['--container-runtime=remote', `--container-runtime-endpoint=${SOCKET}`];
  const endpoint = [`--container-runtime-endpoint=${SOCKET}`];
  const [resolver, driver] = [`--resolv-conf=${RESOLVED}`, '--cgroup-driver=systemd'];
  test.each([
    ...['1.11.10', '1.13.0', '1.18.20', '1.19.0', '1.21.14', '1.23.17', '1.24.0', '1.25.16'].map(
      (version) => [version, [resolver, ...remote, driver]] as const,
    ),
    ...['1.26.0', '1.27.16', '1.28.0', '1.29.15'].map((version) => [version, [resolver, ...endpoint, driver]] as const),
  ])('flags for %s', (version, flags) => {
    const facts = hostFacts(version, { resolver: STUB, cgroup: { mode: 'hybrid' } });
    expect(flagsOf(facts)).toEqual(flags);
    expect(planned(facts, CONFIG)).toBeUndefined();
  });

  test.each(['1.30.0', '1.31.14', '1.34.0', '1.36.4', '1.37.0', '1.37.0-rc.1'])(
    'a directory of configuration for %s',
    (version) => {
      const facts = hostFacts(version, { resolver: STUB });
      expect(flagsOf(facts)).toEqual(['--config-dir=/etc/kubernetes/kubelet.conf.d']);
      expect(settingsOf(facts)).toEqual([
        'cgroupDriver: systemd',
        `containerRuntimeEndpoint: ${SOCKET}`,
        `resolvConf: ${RESOLVED}`,
      ]);
    },
  );

  test.each([
    ['1.29.0', true],
    ['1.30.0', true],
    ['1.31.0', false],
    ['1.34.0', false],
  ])('%s: the driver of a runtime that can tell it is written: %s', (version, written) => {
    const facts = hostFacts(version, { runtimes: [{ ...CONTAINERD, tellsCgroupDriver: true }] });
    expect([...flagsOf(facts), ...settingsOf(facts)].some((each) => /^(--)?cgroup-?driver/i.test(each))).toBe(written);
  });

  test.each([
    { version: '1.10.13', what: 'older than the tables' },
    { version: '1.38.0', what: 'newer than the tables' },
    { version: '2.0.0', what: 'of another major' },
    { version: 'unknown', what: 'no version' },
    { version: undefined, what: 'not known' },
  ])('nothing is written or removed for a kubelet that is $what', ({ version }) => {
    const plan = makePlan(hostFacts(version), DATA);
    expect(plan.changes).toEqual([]);
    expect(plan.findings).toMatchObject([{ code: 'kubelet-version-unknown', level: 'warning' }]);
  });

  test('the version that the program was packaged with counts where the host does not tell', () => {
    expect(makePlan(hostFacts(undefined), { ...DATA, kubeletVersion: '1.36.0' }).changes).toHaveLength(2);
  });

  test('from 1.30 on the directory is there without a setting too, since the kubelet refuses one that is not', () => {
    const facts = hostFacts('1.36.0', { runtimes: [] });
    expect(planned(facts, CONFIG)).toHaveLength(2);
    expect(makePlan(facts, DATA).changes.map(({ path }) => path)).toEqual([CONFIG, ENVIRONMENT]);
  });

  test('before 1.30 no file is wanted where there is nothing to say', () => {
    const plan = makePlan(hostFacts('1.29.0', { runtimes: [] }), DATA);
    expect(plan.changes.map(({ kind }) => kind)).toEqual(['remove', 'remove']);
  });
});

describe('Docker', () => {
  test.each(['1.11.0', '1.20.2', '1.23.17'])('%s serves it itself, through CNI', (version) => {
    const facts = hostFacts(version, { runtimes: [DOCKER], cgroup: { mode: 'v1' } });
    expect(flagsOf(facts)).toEqual(['--network-plugin=cni', '--cgroup-driver=systemd']);
  });

  test('kubeadm chose it before 1.24 by writing no endpoint, containerd or not', () => {
    const kubeadmArgs = ['--network-plugin=cni', '--pod-infra-container-image=k8s.gcr.io/pause:3.2'];
    const facts = hostFacts('1.20.2', { runtimes: [CONTAINERD, DOCKER], kubeadmArgs });
    expect(flagsOf(facts)).toEqual(['--cgroup-driver=systemd']);
    expect(codes(facts, 'error', 'warning')).toEqual([]);
  });

  test.each(['1.24.0', '1.36.0'])('%s does not serve it', (version) => {
    expect(codes(hostFacts(version, { runtimes: [DOCKER] }), 'error')).toEqual(['docker-needs-cri-dockerd']);
  });

  test('cri-dockerd does, from 1.24 on, and Docker behind it is no second runtime', () => {
    const facts = hostFacts('1.24.0', { runtimes: [CRI_DOCKERD, DOCKER] });
    expect(flagsOf(facts)).toContain('--container-runtime-endpoint=unix:///run/cri-dockerd.sock');
    expect(codes(facts, 'error', 'warning')).toEqual([]);
  });
});

describe('which runtime', () => {
  test.each([
    ['1.20.0', 'warning', 'DOCKER'],
    ['1.25.0', 'error', 'CRIO'],
    ['1.36.0', 'warning', 'CRIO'],
  ])('%s: two are told (%s) and none is written', (version, level, other) => {
    const facts = hostFacts(version, { runtimes: [CONTAINERD, other === 'CRIO' ? CRIO : DOCKER] });
    const found = makePlan(facts, DATA).findings.find(({ code }) => code === 'several-runtimes');
    expect(found).toMatchObject({ level });
    expect(found?.evidence).toHaveLength(2);
    expect([...flagsOf(facts), ...settingsOf(facts)].join()).not.toMatch(/endpoint|runtime|driver/i);
  });

  test('KUBELET_CONFGEN_CRI_ENDPOINT chooses, and its cgroup driver counts', () => {
    const runtimes = [CONTAINERD, { ...CRIO, cgroupDriver: 'cgroupfs' as const }];
    const facts = hostFacts('1.36.0', { runtimes, settings: { criEndpoint: '/run/crio/crio.sock' } });
    expect(settingsOf(facts)).toEqual(['containerRuntimeEndpoint: unix:///run/crio/crio.sock']);
    expect(codes(facts, 'error')).toEqual([]);
  });

  test.each([
    'unix:///run/a b.sock',
    'unix:///run/$(id).sock',
    'unix:///x"\nExecStart=',
    'tcp://[::1]:1',
    'unix:///a/../b',
  ])('an endpoint that cannot be written as it is, is not: %j', (criEndpoint) => {
    const facts = hostFacts('1.29.0', { settings: { criEndpoint } });
    expect(codes(facts, 'error')).toEqual(['endpoint-unusable']);
    expect(flagsOf(facts)).toEqual([]);
  });

  test('one that runs is certain beside one that is only installed', () => {
    const facts = hostFacts('1.36.0', { runtimes: [{ ...CONTAINERD, socket: false }, CRIO] });
    expect(settingsOf(facts)).toContain('containerRuntimeEndpoint: unix:///var/run/crio/crio.sock');
  });

  test('the only one that is installed is certain in a tree where nothing runs', () => {
    const facts = hostFacts('1.36.0', {
      runtimes: [{ ...CONTAINERD, socket: false }],
      cgroup: { mode: 'unknown', systemd: false },
    });
    expect(settingsOf(facts)).toContain(`containerRuntimeEndpoint: ${SOCKET}`);
    expect(codes(facts, 'error', 'warning')).toEqual([]);
  });

  test('an endpoint that kubeadm, the cluster or a person has set is not written again', () => {
    const set = 'unix:///var/run/crio/crio.sock';
    const runtimes = [CONTAINERD, CRIO];
    const ways: readonly Changes[] = [
      { runtimes, extraArgs: [`--container-runtime-endpoint=${set}`] },
      { runtimes, kubeadmArgs: [`--container_runtime_endpoint=${set}`] },
      { runtimes, config: { containerRuntimeEndpoint: set } },
      { runtimes, config: { containerRuntimeEndpoint: '' }, instanceConfig: { containerRuntimeEndpoint: set } },
    ];
    for (const way of ways) {
      const facts = hostFacts('1.36.0', way);
      expect(settingsOf(facts)).toEqual(['cgroupDriver: systemd']);
      expect(codes(facts, 'error', 'warning')).toEqual([]);
    }
  });

  test("kubeadm's empty containerRuntimeEndpoint says nothing", () => {
    const facts = hostFacts('1.36.0', { config: { containerRuntimeEndpoint: '', cgroupDriver: 'systemd' } });
    expect(settingsOf(facts)).toEqual([`containerRuntimeEndpoint: ${SOCKET}`]);
  });

  test('no unix:// from 1.24 on is told', () => {
    const kubeadmArgs = ['--container-runtime-endpoint=/run/containerd/containerd.sock'];
    expect(codes(hostFacts('1.23.0', { kubeadmArgs }), 'warning')).toEqual([]);
    expect(codes(hostFacts('1.24.0', { kubeadmArgs }), 'warning')).toEqual(['endpoint-without-scheme']);
  });

  test('none at all, and one with its CRI plugin off, are errors', () => {
    expect(codes(hostFacts('1.36.0', { runtimes: [] }), 'error')).toEqual(['no-runtime']);
    expect(codes(hostFacts('1.36.0', { runtimes: [{ ...CONTAINERD, criDisabled: true }] }), 'error')).toEqual([
      'cri-disabled',
    ]);
  });
});

describe('the resolver', () => {
  const bare = (changes: Changes) => hostFacts('1.29.0', { runtimes: [], ...changes });

  test("a plain /etc/resolv.conf is the kubelet's own default", () => {
    expect(flagsOf(bare({}))).toEqual([]);
    expect(flagsOf(bare({ resolver: { resolved: true } }))).toEqual([]);
  });

  test("a value that is set stays, whatever the host's own resolver is", () => {
    for (const way of [
      { extraArgs: ['--resolv-conf=/etc/other.conf'] },
      { kubeadmArgs: ['--resolv-conf=/etc/other.conf'] },
      { config: { resolvConf: '/etc/other.conf' } },
      { config: { resolvConf: '' } },
    ] satisfies readonly Changes[]) {
      const facts = bare({ resolver: STUB, ...way });
      expect(flagsOf(facts)).toEqual([]);
      expect(codes(facts)).toContain('resolv-conf-kept');
    }
  });

  test.each([
    ['without resolved', {}, '/etc/resolv.conf'],
    ['with resolved', STUB, RESOLVED],
  ] as const)("the cluster's path that is not on this host gives way here, %s", (_, resolver, instead) => {
    const missing = [instead === RESOLVED ? '/run/other/resolv.conf' : RESOLVED];
    const [resolvConf = ''] = missing;
    for (const [version, expected] of [
      ['1.29.0', [`--resolv-conf=${instead}`]],
      ['1.36.0', [`resolvConf: ${instead}`]],
    ] as const) {
      const facts = hostFacts(version, { runtimes: [], config: { resolvConf }, resolver: { ...resolver, missing } });
      expect(version === '1.29.0' ? flagsOf(facts) : settingsOf(facts)).toEqual(expected);
      expect(codes(facts, 'warning')).toEqual(['resolv-conf-missing-here']);
    }
  });

  test("a person's flag with a path that is not there is an error: it stands behind ours, and is not ours", () => {
    const facts = bare({ extraArgs: [`--resolv-conf=${RESOLVED}`], resolver: { missing: [RESOLVED] } });
    expect(flagsOf(facts)).toEqual([]);
    expect(codes(facts, 'error')).toContain('resolv-conf-missing-here');
  });

  test('a loopback server without systemd-resolved is told, as is a stub that somebody set', () => {
    expect(codes(bare({ resolver: { loopback: true, nameservers: ['127.0.0.1'] } }), 'warning')).toEqual([
      'resolv-conf-loopback',
    ]);
    const stub = { config: { resolvConf: '/run/systemd/resolve/stub-resolv.conf' } };
    expect(codes(bare({ resolver: STUB, ...stub }), 'warning')).toEqual(['resolv-conf-loopback']);
    expect(codes(bare({ resolver: { kind: 'absent', nameservers: [] } }), 'warning')).toEqual(['resolv-conf-absent']);
  });
});

describe('cgroups', () => {
  const cgroupfs = { ...CONTAINERD, cgroupDriver: 'cgroupfs' as const, cgroupDriverSource: 'default' };

  test('drivers that do not match are an error, and nothing is overridden', () => {
    for (const way of [{ config: { cgroupDriver: 'systemd' } }, { extraArgs: ['--cgroup-driver=systemd'] }]) {
      const facts = hostFacts('1.36.0', { runtimes: [cgroupfs], ...way });
      expect(codes(facts, 'error')).toEqual(['cgroup-driver-mismatch']);
      expect(settingsOf(facts).join()).not.toContain('cgroupDriver');
    }
  });

  test('a kubelet that asks its runtime has none that could differ', () => {
    const runtimes = [{ ...CONTAINERD, tellsCgroupDriver: true }];
    expect(codes(hostFacts('1.34.0', { runtimes, config: { cgroupDriver: 'cgroupfs' } }), 'error')).toEqual([]);
    expect(codes(hostFacts('1.30.0', { runtimes, config: { cgroupDriver: 'cgroupfs' } }), 'error')).toEqual([
      'cgroup-driver-mismatch',
    ]);
  });

  test("cgroupfs is the kubelet's default and not written; under systemd it is told", () => {
    const facts = hostFacts('1.29.0', { runtimes: [cgroupfs] });
    expect(flagsOf(facts).join()).not.toContain('cgroup-driver');
    expect(codes(facts, 'warning')).toEqual(['cgroupfs-under-systemd']);
    expect(codes(hostFacts('1.29.0', { runtimes: [cgroupfs], cgroup: { systemd: false } }), 'warning')).toEqual([]);
  });

  test.each([
    ['1.30.0', 'v1', [], []],
    ['1.31.0', 'v1', ['cgroup-v1-deprecated'], []],
    ['1.34.9', 'hybrid', ['cgroup-v1-deprecated'], []],
    ['1.35.0', 'v1', [], ['cgroup-v1-refused']],
    ['1.37.0', 'hybrid', [], ['cgroup-v1-refused']],
    ['1.37.0', 'v2', [], []],
    ['1.18.0', 'v2', [], ['cgroup-v2-unsupported']],
    ['1.19.0', 'v2', [], []],
  ] as const)('%s on cgroup %s', (version, mode, warnings, errors) => {
    const facts = hostFacts(version, { cgroup: { mode } });
    expect(codes(facts, 'warning')).toEqual(warnings);
    expect(codes(facts, 'error')).toEqual(errors);
  });

  test.each([{ config: { failCgroupV1: false } }, { extraArgs: ['--fail-cgroupv1=false'] }])(
    'cgroup v1 that was allowed (%j) is a warning',
    (way) => {
      const facts = hostFacts('1.36.0', { cgroup: { mode: 'v1' }, ...way });
      expect(codes(facts, 'warning', 'error')).toEqual(['cgroup-v1-deprecated']);
    },
  );
});

describe('the host', () => {
  test.each([
    ['swap', { node: { swap: ['/dev/sda2'] } }, 'error', 'swap-on'],
    ['br_netfilter', { kernel: { brNetfilter: false } }, 'warning', 'br-netfilter-missing'],
    ['overlay', { kernel: { overlay: false } }, 'warning', 'overlay-missing'],
    ['forwarding', { kernel: { ipForward: false } }, 'warning', 'ip-forward-off'],
  ] satisfies readonly (readonly [string, Changes, string, string])[])('%s', (_, changes, level, code) => {
    expect(codes(hostFacts('1.36.0', changes), level)).toEqual([code]);
    const image = hostFacts('1.36.0', { ...changes, cgroup: { mode: 'unknown', systemd: false } });
    expect(codes(image, 'warning', 'error'), 'a tree says nothing of its kernel').toEqual([]);
  });

  test.each([
    { config: { failSwapOn: false } },
    { extraArgs: ['--fail-swap-on=false'] },
    { kubeadmArgs: ['--fail-swap-on=0'] },
  ])('swap that was allowed (%j) is nothing to tell', (way) => {
    expect(codes(hostFacts('1.36.0', { node: { swap: ['/swapfile'] }, ...way }), 'error')).toEqual([]);
  });

  test('forwarding that cannot be read is nothing to tell', () => {
    expect(codes(hostFacts('1.36.0', { kernel: { ipForward: undefined } }), 'warning')).toEqual([]);
  });

  test("a host name that is no node's name", () => {
    const node = { hostName: 'node_a', validNodeName: false };
    expect(codes(hostFacts('1.36.0', { node }), 'error')).toEqual(['node-name-invalid']);
    expect(codes(hostFacts('1.36.0', { node, extraArgs: ['--hostname-override=node-a'] }), 'error')).toEqual([]);
  });

  test.each([
    ['yes', ['--hostname-override=node-b.example.org']],
    ['Other-Name', ['--hostname-override=other-name']],
    ['no', []],
    ['a b', []],
    ['x"', []],
  ])('KUBELET_CONFGEN_HOSTNAME_OVERRIDE=%s', (hostnameOverride, flags) => {
    const node = { hostName: 'Node-B.example.org' };
    const facts = hostFacts('1.29.0', { runtimes: [], node, settings: { hostnameOverride } });
    expect(flagsOf(facts)).toEqual(flags);
    const later = hostFacts('1.36.0', { runtimes: [], node, settings: { hostnameOverride } });
    expect(flagsOf(later)).toEqual(['--config-dir=/etc/kubernetes/kubelet.conf.d', ...flags]);
    const set = hostFacts('1.29.0', {
      runtimes: [],
      settings: { hostnameOverride },
      kubeadmArgs: ['--hostname-override=c'],
    });
    expect(flagsOf(set)).toEqual([]);
  });
});

test.each([
  ['--pod-infra-container-image=registry.k8s.io/pause:3.10', '1.34.9', '1.35.0'],
  ['--container-runtime=remote', '1.26.15', '1.27.0'],
  ['--network-plugin=cni', '1.23.17', '1.24.0'],
  ['--cni-bin-dir=/opt/cni/bin', '1.23.17', '1.24.0'],
  ['--cni_conf_dir=/etc/cni/net.d', '1.23.17', '1.24.0'],
  ['--keep-terminated-pod-volumes', '1.30.0', '1.31.0'],
  ['--allow-privileged=true', '1.14.0', '1.15.0'],
])('%s is known to %s and stops %s', (flag, before, after) => {
  const errors = (version: string, changes: Changes) =>
    makePlan(hostFacts(version, { ...changes, cgroup: { mode: 'unknown' } }), DATA).findings.filter(
      ({ level }) => level === 'error',
    );
  for (const key of ['extraArgs', 'kubeadmArgs'] as const) {
    expect(errors(before, { [key]: [flag] })).toEqual([]);
    const [found, ...more] = errors(after, { [key]: [flag] });
    expect(more).toEqual([]);
    expect(found).toMatchObject({ code: 'removed-flag' });
    expect(found?.hint).toContain(key === 'extraArgs' ? '/etc/default/kubelet' : 'kubeadm-flags.env');
  }
});

test('a --config-dir of somebody else is theirs: flags of their directory are not overridden', () => {
  const facts = hostFacts('1.36.0', {
    extraArgs: ['--config-dir=/etc/kubelet.d'],
    settings: { hostnameOverride: 'x' },
  });
  expect(codes(facts, 'warning')).toEqual(['config-dir-elsewhere']);
  expect(planned(facts, CONFIG)).toBeUndefined();
  expect(flagsOf(facts)).toEqual(['--hostname-override=x']);
  const same = hostFacts('1.36.0', { extraArgs: ['--config-dir=/etc/kubernetes/kubelet.conf.d/'] });
  expect(codes(same, 'warning')).toEqual([]);
  expect(settingsOf(same)).not.toEqual([]);
});

test('switched off: no word but that, and nothing removed', () => {
  const plan = makePlan(hostFacts('1.36.0', { settings: { off: true }, node: { swap: ['/dev/sda2'] } }), DATA);
  expect(plan).toMatchObject({ changes: [], findings: [{ code: 'off', level: 'info' }] });
});

test('a configuration that was not understood may say anything: nothing is written against it, no error is guessed', () => {
  for (const way of [{ config: { unclear: true } }, { config: {}, instanceConfig: { unclear: true } }]) {
    const host: Changes = {
      ...way,
      resolver: STUB,
      node: { swap: ['/swapfile'] },
      settings: { hostnameOverride: 'x' },
    };
    expect(flagsOf(hostFacts('1.28.0', host))).toEqual(['--hostname-override=x']);
    expect(flagsOf(hostFacts('1.25.0', host))).toEqual(['--hostname-override=x']);
    const later = hostFacts('1.36.0', { ...host, cgroup: { mode: 'v1' } });
    expect(settingsOf(later)).toEqual([]);
    expect(codes(later, 'error')).toEqual([]);
    expect(codes(later)).toContain('settings-withheld');
  }
});
