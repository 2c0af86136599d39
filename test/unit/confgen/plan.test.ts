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

/** The lines of a planned file without comments; undefined for a removal, '-' when the file is not in the plan. */
function planned(facts: Facts, path: string): readonly string[] | undefined | '-' {
  const change = makePlan(facts, DATA).changes.find((each) => each.path === path);
  if (change === undefined) return '-';
  return change.kind === 'remove'
    ? undefined
    : change.text.split('\n').filter((line) => line !== '' && line[0] !== '#');
}

/** Flags in the env file after the --config of 10-kubeadm.conf. */
function flagsOf(facts: Facts): readonly string[] {
  const lines = planned(facts, ENVIRONMENT);
  if (lines === undefined || lines === '-') return [];
  const [, words = ''] =
    /^KUBELET_CONFIG_ARGS="--config=\/var\/lib\/kubelet\/config\.yaml ?(.*)"$/.exec(lines.join()) ?? [];
  expect(words, lines.join()).not.toBe('');
  return words.split(' ');
}

/** Settings in the file in the --config-dir directory. */
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

describe('the version of the kubelet', () => {
  const remote = ['--container-runtime=remote', `--container-runtime-endpoint=${SOCKET}`];
  const endpoint = [`--container-runtime-endpoint=${SOCKET}`];
  const [resolver, driver] = [`--resolv-conf=${RESOLVED}`, '--cgroup-driver=systemd'];
  test.each([
    ...['1.11.10', '1.13.0', '1.18.20', '1.19.0', '1.21.14', '1.23.17', '1.24.0', '1.25.16'].map(
      (version) => [version, [resolver, ...remote, driver]] as const,
    ),
    ...['1.26.0', '1.27.16', '1.28.0', '1.29.15'].map((version) => [version, [resolver, ...endpoint, driver]] as const),
  ])('%s gets flags', (version, flags) => {
    const facts = hostFacts(version, { resolver: STUB, cgroup: { mode: 'hybrid' } });
    expect(flagsOf(facts)).toEqual(flags);
    expect(planned(facts, CONFIG)).toBeUndefined();
  });

  test.each(['1.30.0', '1.31.14', '1.34.0', '1.36.4', '1.37.0', '1.37.0-rc.1'])(
    '%s gets a configuration file',
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
  ])('%s: writes the cgroup driver of a runtime that reports it: %s', (version, written) => {
    const facts = hostFacts(version, { runtimes: [{ ...CONTAINERD, reportsCgroupDriver: true }] });
    expect([...flagsOf(facts), ...settingsOf(facts)].some((each) => /^(--)?cgroup-?driver/i.test(each))).toBe(written);
  });

  test.each([
    { version: '1.10.13', what: 'older than the data' },
    { version: '1.38.0', what: 'newer than the data' },
    { version: '2.0.0', what: 'of another major' },
    { version: 'unknown', what: 'not a version' },
    { version: undefined, what: 'unknown' },
  ])('nothing is written or removed for a kubelet that is $what', ({ version }) => {
    const plan = makePlan(hostFacts(version), DATA);
    expect(plan.changes).toEqual([]);
    expect(plan.findings).toMatchObject([{ code: 'kubelet-version-unknown', level: 'warning' }]);
  });

  test('is the version of the package when the host has none', () => {
    expect(makePlan(hostFacts(undefined), { ...DATA, kubeletVersion: '1.36.0' }).changes).toHaveLength(2);
  });

  test('the configuration file is written without settings since 1.30, because the directory must exist', () => {
    const facts = hostFacts('1.36.0', { runtimes: [] });
    expect(planned(facts, CONFIG)).toHaveLength(2);
    expect(makePlan(facts, DATA).changes.map(({ path }) => path)).toEqual([CONFIG, ENVIRONMENT]);
  });

  test('no file is written without settings before 1.30', () => {
    const plan = makePlan(hostFacts('1.29.0', { runtimes: [] }), DATA);
    expect(plan.changes.map(({ kind }) => kind)).toEqual(['remove', 'remove']);
  });
});

describe('Docker', () => {
  test.each(['1.11.0', '1.20.2', '1.23.17'])('%s supports it with CNI', (version) => {
    const facts = hostFacts(version, { runtimes: [DOCKER], cgroup: { mode: 'v1' } });
    expect(flagsOf(facts)).toEqual(['--network-plugin=cni', '--cgroup-driver=systemd']);
  });

  test('is the runtime when kubeadm before 1.24 wrote flags without an endpoint, even with containerd', () => {
    const kubeadmArgs = ['--network-plugin=cni', '--pod-infra-container-image=k8s.gcr.io/pause:3.2'];
    const facts = hostFacts('1.20.2', { runtimes: [CONTAINERD, DOCKER], kubeadmArgs });
    expect(flagsOf(facts)).toEqual(['--cgroup-driver=systemd']);
    expect(codes(facts, 'error', 'warning')).toEqual([]);
  });

  test.each(['1.24.0', '1.36.0'])('%s does not support it', (version) => {
    expect(codes(hostFacts(version, { runtimes: [DOCKER] }), 'error')).toEqual(['docker-needs-cri-dockerd']);
  });

  test('is not a second runtime next to cri-dockerd', () => {
    const facts = hostFacts('1.24.0', { runtimes: [CRI_DOCKERD, DOCKER] });
    expect(flagsOf(facts)).toContain('--container-runtime-endpoint=unix:///run/cri-dockerd.sock');
    expect(codes(facts, 'error', 'warning')).toEqual([]);
  });
});

describe('the runtime', () => {
  test.each([
    ['1.20.0', 'warning', 'DOCKER'],
    ['1.25.0', 'error', 'CRIO'],
    ['1.36.0', 'warning', 'CRIO'],
  ])('%s: reports two runtimes (%s) and configures neither', (version, level, other) => {
    const facts = hostFacts(version, { runtimes: [CONTAINERD, other === 'CRIO' ? CRIO : DOCKER] });
    const found = makePlan(facts, DATA).findings.find(({ code }) => code === 'several-runtimes');
    expect(found).toMatchObject({ level });
    expect(found?.evidence).toHaveLength(2);
    expect([...flagsOf(facts), ...settingsOf(facts)].join()).not.toMatch(/endpoint|runtime|driver/i);
  });

  test('is chosen by KUBELET_CONFGEN_CRI_ENDPOINT, with its cgroup driver', () => {
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
  ])('is not configured with the invalid endpoint %j', (criEndpoint) => {
    const facts = hostFacts('1.29.0', { settings: { criEndpoint } });
    expect(codes(facts, 'error')).toEqual(['endpoint-unusable']);
    expect(flagsOf(facts)).toEqual([]);
  });

  test('is the running one when another is only installed', () => {
    const facts = hostFacts('1.36.0', { runtimes: [{ ...CONTAINERD, socket: false }, CRIO] });
    expect(settingsOf(facts)).toContain('containerRuntimeEndpoint: unix:///var/run/crio/crio.sock');
  });

  test('is the only installed one in an image', () => {
    const facts = hostFacts('1.36.0', {
      runtimes: [{ ...CONTAINERD, socket: false }],
      cgroup: { mode: 'unknown', systemd: false },
    });
    expect(settingsOf(facts)).toContain(`containerRuntimeEndpoint: ${SOCKET}`);
    expect(codes(facts, 'error', 'warning')).toEqual([]);
  });

  test('is not written when the administrator, kubeadm or the cluster configured it', () => {
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

  test('is not configured by the empty containerRuntimeEndpoint of kubeadm', () => {
    const facts = hostFacts('1.36.0', { config: { containerRuntimeEndpoint: '', cgroupDriver: 'systemd' } });
    expect(settingsOf(facts)).toEqual([`containerRuntimeEndpoint: ${SOCKET}`]);
  });

  test('needs unix:// since 1.24', () => {
    const kubeadmArgs = ['--container-runtime-endpoint=/run/containerd/containerd.sock'];
    expect(codes(hostFacts('1.23.0', { kubeadmArgs }), 'warning')).toEqual([]);
    expect(codes(hostFacts('1.24.0', { kubeadmArgs }), 'warning')).toEqual(['endpoint-without-scheme']);
  });

  test('is missing or has its CRI plugin disabled: error', () => {
    expect(codes(hostFacts('1.36.0', { runtimes: [] }), 'error')).toEqual(['no-runtime']);
    expect(codes(hostFacts('1.36.0', { runtimes: [{ ...CONTAINERD, criDisabled: true }] }), 'error')).toEqual([
      'cri-disabled',
    ]);
  });
});

describe('the resolver', () => {
  const bare = (changes: Changes) => hostFacts('1.29.0', { runtimes: [], ...changes });

  test('is not configured for a plain /etc/resolv.conf, the default of the kubelet', () => {
    expect(flagsOf(bare({}))).toEqual([]);
    expect(flagsOf(bare({ resolver: { resolved: true } }))).toEqual([]);
  });

  test('is not changed when it is configured', () => {
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
  ] as const)('replaces a missing file in the configuration of the cluster, %s', (_, resolver, replacement) => {
    const missing = [replacement === RESOLVED ? '/run/other/resolv.conf' : RESOLVED];
    const [resolvConf = ''] = missing;
    for (const [version, expected] of [
      ['1.29.0', [`--resolv-conf=${replacement}`]],
      ['1.36.0', [`resolvConf: ${replacement}`]],
    ] as const) {
      const facts = hostFacts(version, { runtimes: [], config: { resolvConf }, resolver: { ...resolver, missing } });
      expect(version === '1.29.0' ? flagsOf(facts) : settingsOf(facts)).toEqual(expected);
      expect(codes(facts, 'warning')).toEqual(['resolv-conf-missing-here']);
    }
  });

  test('reports a missing file in a flag of the administrator as an error, because it cannot be overridden', () => {
    const facts = bare({ extraArgs: [`--resolv-conf=${RESOLVED}`], resolver: { missing: [RESOLVED] } });
    expect(flagsOf(facts)).toEqual([]);
    expect(codes(facts, 'error')).toContain('resolv-conf-missing-here');
  });

  test('reports a loopback server without systemd-resolved, a configured stub and a missing resolv.conf', () => {
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

  test('reports different drivers as an error and does not override them', () => {
    for (const way of [{ config: { cgroupDriver: 'systemd' } }, { extraArgs: ['--cgroup-driver=systemd'] }]) {
      const facts = hostFacts('1.36.0', { runtimes: [cgroupfs], ...way });
      expect(codes(facts, 'error')).toEqual(['cgroup-driver-mismatch']);
      expect(settingsOf(facts).join()).not.toContain('cgroupDriver');
    }
  });

  test('ignores the configured driver when the kubelet gets it from the runtime', () => {
    const runtimes = [{ ...CONTAINERD, reportsCgroupDriver: true }];
    expect(codes(hostFacts('1.34.0', { runtimes, config: { cgroupDriver: 'cgroupfs' } }), 'error')).toEqual([]);
    expect(codes(hostFacts('1.30.0', { runtimes, config: { cgroupDriver: 'cgroupfs' } }), 'error')).toEqual([
      'cgroup-driver-mismatch',
    ]);
  });

  test('does not write cgroupfs, the default of the kubelet, and warns about it on systemd', () => {
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
    'warns about cgroup v1 when it is allowed by %j',
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
  ] satisfies readonly (readonly [string, Changes, string, string])[])(
    'is checked for %s',
    (_, changes, level, code) => {
      expect(codes(hostFacts('1.36.0', changes), level)).toEqual([code]);
      const image = hostFacts('1.36.0', { ...changes, cgroup: { mode: 'unknown', systemd: false } });
      expect(codes(image, 'warning', 'error'), 'not checked in an image').toEqual([]);
    },
  );

  test.each([
    { config: { failSwapOn: false } },
    { extraArgs: ['--fail-swap-on=false'] },
    { kubeadmArgs: ['--fail-swap-on=0'] },
  ])('may have swap with %j', (way) => {
    expect(codes(hostFacts('1.36.0', { node: { swap: ['/swapfile'] }, ...way }), 'error')).toEqual([]);
  });

  test('is not reported when forwarding is unknown', () => {
    expect(codes(hostFacts('1.36.0', { kernel: { ipForward: undefined } }), 'warning')).toEqual([]);
  });

  test('is reported for a host name that is not a valid node name', () => {
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
])('%s is accepted by %s and rejected by %s', (flag, before, after) => {
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

test('with another --config-dir, no configuration file is written', () => {
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

test('when disabled, there are no other findings and no changes', () => {
  const plan = makePlan(hostFacts('1.36.0', { settings: { off: true }, node: { swap: ['/dev/sda2'] } }), DATA);
  expect(plan).toMatchObject({ changes: [], findings: [{ code: 'off', level: 'info' }] });
});

test('with an unclear configuration, no fields are written and no errors are assumed', () => {
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
