import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { loadCatalog } from '../../../src/catalog/catalog.ts';
import { generatorData } from '../../../src/catalog/generator-data.ts';
import { kubeadmConfigCommand } from '../../../src/confgen/commands/kubeadm-config.ts';
import { memoryHost, type Tree } from '../../support/memory-host.ts';

const data = generatorData(await loadCatalog(), undefined);

const CONTAINERD: Tree = {
  '/run/containerd/containerd.sock': { socket: true },
  '/etc/containerd/config.toml':
    'version = 2\n[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]\n  SystemdCgroup = true\n',
};
const CRIO: Tree = { '/run/crio/crio.sock': { socket: true } };
const RESOLVED: Tree = {
  '/run/systemd/resolve/resolv.conf': 'nameserver 192.0.2.53\n',
  '/etc/resolv.conf': { link: '/run/systemd/resolve/stub-resolv.conf' },
};
const TOKEN = 'abcdef.0123456789abcdef';
const HASH = `sha256:${'0123456789abcdef'.repeat(4)}`;
const JOIN = ['--kind', 'join', '--token', TOKEN, '--ca-cert-hash', HASH, '--control-plane-endpoint', '192.0.2.1'];

function run(tree: Tree, argv: readonly string[], hostName = 'node-a') {
  let out = '';
  let err = '';
  const output = { out: (text: string) => (out += text), err: (text: string) => (err += text) };
  const status = kubeadmConfigCommand(argv, memoryHost(tree, hostName), output, data);
  return { status, out, err };
}

function documents(tree: Tree, version: string, ...flags: string[]): Record<string, unknown>[] {
  const { status, out, err } = run(tree, ['--kubernetes-version', version, ...flags]);
  expect(status, err).toBe(0);
  return parseAllDocuments(out).map((each) => each.toJS());
}

/** Written by hand. test/real/kubeadm.test.ts checks v1beta1 and v1beta2 with a real kubeadm. */
describe('init', () => {
  const flags = ['--kind', 'init', '--token', TOKEN, '--advertise-address', '192.0.2.10', '--node-ip', '192.0.2.10'];
  const kubelet = { cgroupDriver: 'systemd', clusterDNS: ['10.96.0.10'] };
  const networking = { dnsDomain: 'cluster.local', serviceSubnet: '10.96.0.0/12' };

  test('v1alpha1', () => {
    const [only, ...more] = documents(CONTAINERD, '1.11.10', ...flags, '--api-version', 'v1alpha1', '--node-name', 'n');
    expect(more).toEqual([]);
    expect(only).toEqual({
      apiVersion: 'kubeadm.k8s.io/v1alpha1',
      kind: 'MasterConfiguration',
      api: { advertiseAddress: '192.0.2.10' },
      criSocket: '/run/containerd/containerd.sock',
      kubeletConfiguration: { baseConfig: kubelet },
      kubernetesVersion: 'v1.11.10',
      networking,
      nodeName: 'n',
      token: TOKEN,
    });
  });

  test('v1alpha2', () => {
    expect(documents(CONTAINERD, '1.11.10', ...flags)).toEqual([
      {
        apiVersion: 'kubeadm.k8s.io/v1alpha2',
        kind: 'MasterConfiguration',
        api: { advertiseAddress: '192.0.2.10' },
        bootstrapTokens: [{ token: TOKEN }],
        kubeletConfiguration: { baseConfig: kubelet },
        kubernetesVersion: 'v1.11.10',
        networking,
        nodeRegistration: {
          criSocket: '/run/containerd/containerd.sock',
          kubeletExtraArgs: { 'node-ip': '192.0.2.10' },
        },
      },
    ]);
  });

  const path = '/run/containerd/containerd.sock';
  test.each([
    ['1.12.0', 'v1alpha3', 'apiEndpoint', path],
    ['1.14.10', 'v1beta1', 'localAPIEndpoint', path],
    ['1.20.2', 'v1beta2', 'localAPIEndpoint', path],
    ['1.23.17', 'v1beta3', 'localAPIEndpoint', path],
    ['1.24.0', 'v1beta3', 'localAPIEndpoint', `unix://${path}`],
    ['1.37.0', 'v1beta4', 'localAPIEndpoint', `unix://${path}`],
  ])('kubeadm %s: %s', (version, api, endpoint, criSocket) => {
    const args = api === 'v1beta4' ? [{ name: 'node-ip', value: '192.0.2.10' }] : { 'node-ip': '192.0.2.10' };
    expect(documents(CONTAINERD, version, ...flags)).toEqual([
      {
        apiVersion: `kubeadm.k8s.io/${api}`,
        kind: 'InitConfiguration',
        bootstrapTokens: [{ token: TOKEN }],
        [endpoint]: { advertiseAddress: '192.0.2.10' },
        nodeRegistration: { criSocket, kubeletExtraArgs: args },
      },
      {
        apiVersion: `kubeadm.k8s.io/${api}`,
        kind: 'ClusterConfiguration',
        kubernetesVersion: `v${version}`,
        networking,
      },
      { apiVersion: 'kubelet.config.k8s.io/v1beta1', kind: 'KubeletConfiguration', ...kubelet },
    ]);
  });

  test.each([
    ['1.20.2', { IPv6DualStack: true }],
    ['1.21.0', undefined],
  ])('dual stack in %s', (version, featureGates) => {
    const networks = ['--service-cidr', 'fd00:10:96::/112,10.96.0.0/12', '--pod-cidr', '10.244.0.0/16,fd00:10::/56'];
    const [, cluster, kubeletConfiguration] = documents(CONTAINERD, version, '--kind', 'init', ...networks);
    expect(cluster?.featureGates).toEqual(featureGates);
    expect(cluster?.networking).toEqual({
      dnsDomain: 'cluster.local',
      podSubnet: '10.244.0.0/16,fd00:10::/56',
      serviceSubnet: 'fd00:10:96::/112,10.96.0.0/12',
    });
    expect(kubeletConfiguration?.clusterDNS).toEqual(['fd00:10:96::a']);
  });

  test('an invalid host name is converted, with a message', () => {
    const { out, err } = run(CONTAINERD, ['--kind', 'init', '--kubernetes-version', '1.30.0'], 'My_Node-');
    expect(out).toContain('  name: my-node\n');
    expect(err).toContain('My_Node- is not a valid node name; using my-node');
  });

  test('JSON output is a List', () => {
    const { out } = run(CONTAINERD, ['--kind', 'init', '--kubernetes-version', 'v1.30.0', '--output', 'json']);
    expect(JSON.parse(out).items.map(({ kind }: { kind: string }) => kind)).toEqual([
      'InitConfiguration',
      'ClusterConfiguration',
      'KubeletConfiguration',
    ]);
  });
});

describe('join', () => {
  const old = { discoveryTokenAPIServers: ['192.0.2.1:6443'], discoveryTokenCACertHashes: [HASH], token: TOKEN };
  const discovery = { bootstrapToken: { apiServerEndpoint: '192.0.2.1:6443', caCertHashes: [HASH], token: TOKEN } };
  test.each([
    ['1.11.0', 'v1alpha2', 'NodeConfiguration', old],
    ['1.12.0', 'v1alpha3', 'JoinConfiguration', old],
    ['1.13.0', 'v1beta1', 'JoinConfiguration', { discovery }],
    ['1.31.0', 'v1beta4', 'JoinConfiguration', { discovery }],
  ])('%s: %s %s', (version, api, kind, found) => {
    expect(documents(CONTAINERD, version, ...JOIN)).toMatchObject([
      { apiVersion: `kubeadm.k8s.io/${api}`, kind, ...found },
    ]);
  });

  test('settings of this node are flags, not part of the cluster configuration', () => {
    const tree = { ...CONTAINERD, ...RESOLVED };
    const args = (version: string) => documents(tree, version, ...JOIN)[0]?.nodeRegistration;
    const resolv = '/run/systemd/resolve/resolv.conf';
    // kubeadm before 1.19 sets --resolv-conf; before 1.21 its default cgroup driver is cgroupfs.
    expect(args('1.18.0')).toMatchObject({ kubeletExtraArgs: { 'cgroup-driver': 'systemd' } });
    expect(args('1.20.0')).toMatchObject({ kubeletExtraArgs: { 'cgroup-driver': 'systemd', 'resolv-conf': resolv } });
    expect(args('1.30.0')).toMatchObject({ kubeletExtraArgs: { 'resolv-conf': resolv } });
    expect(args('1.31.0')).toMatchObject({ kubeletExtraArgs: [{ name: 'resolv-conf', value: resolv }] });
  });
});

describe('invalid arguments give status 2 and a message', () => {
  const init = ['--kind', 'init', '--kubernetes-version', '1.30.0'];
  test.each<[string, Tree, readonly string[], string]>([
    ['no kind', CONTAINERD, [], '--kind init or --kind join'],
    ['no version', CONTAINERD, ['--kind', 'init'], 'use --kubernetes-version'],
    [
      'an unsupported version',
      CONTAINERD,
      ['--kind', 'init', '--kubernetes-version', '1.99.0'],
      '1.99.0 is not supported',
    ],
    ['two runtimes', { ...CONTAINERD, ...CRIO }, init, 'containerd (unix:///run/containerd/containerd.sock) and crio'],
    [
      'an unsupported API version',
      CONTAINERD,
      [...init, '--api-version', 'v1beta1'],
      'does not support v1beta1; expected v1beta3',
    ],
    ['a short token', CONTAINERD, [...init, '--token', 'abc.def'], 'invalid token; expected 6 and 16'],
    ['an upper-case token', CONTAINERD, [...init, '--token', TOKEN.toUpperCase()], 'invalid token; expected 6 and 16'],
    ['a hash without an algorithm', CONTAINERD, [...JOIN, '--ca-cert-hash', HASH.slice(7)], 'invalid CA'],
    ['no endpoint to join', CONTAINERD, ['--kind', 'join', '--kubernetes-version', '1.30.0'], 'needs --control-plane'],
    [
      'an address instead of a network',
      CONTAINERD,
      [...init, '--service-cidr', '10.96.0.0'],
      'expected a network such as',
    ],
    ['two networks of one family', CONTAINERD, [...init, '--service-cidr', '10.0.0.0/12,10.96.0.0/12'], 'one of each'],
    [
      'pods without IPv6',
      CONTAINERD,
      [...init, '--service-cidr', 'fd00::/112', '--pod-cidr', '10.0.0.0/16'],
      'same address families',
    ],
    ['a pod network to join', CONTAINERD, [...JOIN, '--pod-cidr', '10.0.0.0/16'], 'cannot be used with --kind join'],
    ['an upper-case node name', CONTAINERD, [...init, '--node-name', 'Node'], 'invalid node name Node;'],
    ['an endpoint with a path', CONTAINERD, [...init, '--control-plane-endpoint', 'https://a/'], 'HOST or HOST:PORT'],
    ['a socket with a newline', CONTAINERD, [...init, '--cri-socket', '/run/a\nb'], 'invalid CRI socket'],
  ])('%s', (_, tree, argv, message) => {
    const withVersion = argv.includes('join') ? [...argv, '--kubernetes-version', '1.30.0'] : argv;
    const { status, out, err } = run(tree, withVersion);
    expect(err).toContain(message);
    expect(status).toBe(2);
    expect(out).toBe('');
  });

  test('dual stack in a version without it', () => {
    const { err } = run(CONTAINERD, [
      ...['--kind', 'init', '--kubernetes-version', '1.15.0', '--service-cidr', '10.96.0.0/12,fd00::/112'],
    ]);
    expect(err).toContain('need Kubernetes 1.16 or later');
  });

  test('an invalid token is not printed', () => {
    const secret = 'abcdef.0123456789abcdeF';
    expect(run(CONTAINERD, [...init, '--token', secret]).err).not.toContain(secret);
  });
});

test('never throws for any arguments, and prints valid YAML', () => {
  const value = fc.oneof(
    fc.constantFrom('init', 'join', '1.20.2', '1.36.0', TOKEN, HASH, '10.96.0.0/12', 'fd00::/64', '[::1]:6443', 'a:1'),
    fc.string({ unit: 'grapheme' }),
  );
  const flag = fc.constantFrom(
    ...['kind', 'kubernetes-version', 'service-cidr', 'pod-cidr', 'token', 'ca-cert-hash', 'node-name', 'node-ip'],
    ...['control-plane-endpoint', 'advertise-address', 'cri-socket', 'api-version', 'output', 'root', 'nonsense'],
  );
  const base = [...JOIN, '--kubernetes-version', '1.30.0'];
  fc.assert(
    fc.property(fc.boolean(), fc.array(fc.tuple(flag, value), { maxLength: 6 }), (based, pairs) => {
      const argv = [...(based ? base : []), ...pairs.map(([name, each]) => `--${name}=${each}`)];
      const { status, out, err } = run(CONTAINERD, argv);
      expect([0, 2]).toContain(status);
      if (status === 0) for (const each of parseAllDocuments(out)) expect(each.errors).toEqual([]);
      else expect(err).toMatch(/^kubelet-confgen: [^\n]+\nsee [^\n]+\n$/);
    }),
    { numRuns: 300 },
  );
});
