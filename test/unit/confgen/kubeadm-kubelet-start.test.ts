import { describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { loadCatalog } from '../../../src/catalog/catalog.ts';
import { generatorData } from '../../../src/catalog/generator-data.ts';
import { renderCommand } from '../../../src/confgen/commands/render-kubelet-start.ts';
import { memoryHost, type Tree } from '../../support/memory-host.ts';

const data = generatorData(await loadCatalog(), undefined);

const RESOLVED: Tree = { '/run/systemd/resolve/resolv.conf': 'nameserver 192.0.2.53\n' };
const CONTAINERD = '/run/containerd/containerd.sock';
const DOCKER: Tree = {
  '/run/docker.sock': { socket: true },
  '/var/run': { link: '/run' },
  '/usr/bin/dockerd': '',
  '/etc/docker/daemon.json': '{"exec-opts": ["native.cgroupdriver=systemd"]}',
};

function run(tree: Tree, ...argv: string[]) {
  let out = '';
  let err = '';
  const host = memoryHost(tree);
  const output = { out: (text: string) => (out += text), err: (text: string) => (err += text) };
  const status = renderCommand(['kubelet-start', ...argv], host, output, data);
  return { status, out, err, host };
}

function files(tree: Tree, version: string, ...argv: string[]): Record<string, string> {
  const flags = ['--flow', 'init', '--kubernetes-version', version, '--output', 'json', ...argv];
  const { status, out, err } = run(tree, ...flags);
  expect(status, err).toBe(0);
  const list: { path: string; text: string }[] = JSON.parse(out).files;
  return Object.fromEntries(list.map(({ path, text }) => [path.replace('/var/lib/kubelet/', ''), text]));
}

/** Written by hand. test/real/kubeadm.test.ts checks 1.20 with a real kubeadm. */
describe('kubeadm-flags.env', () => {
  const remote = '--container-runtime=remote';
  const path = `--container-runtime-endpoint=${CONTAINERD}`;
  const url = `--container-runtime-endpoint=unix://${CONTAINERD}`;
  const pause = '--pod-infra-container-image=';
  test.each([
    ['1.11.0', `${remote} ${path} --resolv-conf=/run/systemd/resolve/resolv.conf`],
    ['1.14.0', `${remote} ${path} --resolv-conf=/run/systemd/resolve/resolv.conf`],
    ['1.18.0', `"${remote} ${path} --resolv-conf=/run/systemd/resolve/resolv.conf"`],
    ['1.19.0', `"${remote} ${path}"`],
    ['1.20.15', `"${remote} ${path}"`],
    ['1.21.0', `"${remote} ${path} ${pause}k8s.gcr.io/pause:3.4.1"`],
    ['1.23.0', `"${remote} ${path} ${pause}k8s.gcr.io/pause:3.6"`],
    ['1.23.17', `"${remote} ${path} ${pause}registry.k8s.io/pause:3.6"`],
    ['1.24.0', `"${remote} ${url} ${pause}k8s.gcr.io/pause:3.7"`],
    ['1.25.0', `"${remote} ${url} ${pause}registry.k8s.io/pause:3.8"`],
    ['1.26.0', `"${url} ${pause}registry.k8s.io/pause:3.9"`],
    ['1.33.0', `"${url} ${pause}registry.k8s.io/pause:3.10"`],
    ['1.34.0', `"${pause}registry.k8s.io/pause:3.10.1"`],
    ['1.35.0', '""'],
    ['1.37.0', '""'],
  ])('%s on containerd with systemd-resolved', (version, flags) => {
    const found = files(RESOLVED, version, '--cri-socket', CONTAINERD)['kubeadm-flags.env'];
    expect(found).toBe(`KUBELET_KUBEADM_ARGS=${flags}\n`);
  });

  test.each([
    ['1.12.0', '--cgroup-driver=systemd --network-plugin=cni'],
    ['1.14.0', `--cgroup-driver=systemd --network-plugin=cni ${pause}k8s.gcr.io/pause:3.1`],
    ['1.18.0', `"--cgroup-driver=systemd --network-plugin=cni ${pause}k8s.gcr.io/pause:3.2"`],
    ['1.19.0', `"--network-plugin=cni ${pause}k8s.gcr.io/pause:3.2"`],
    ['1.23.0', `"--network-plugin=cni ${pause}k8s.gcr.io/pause:3.6"`],
  ])('%s on Docker', (version, flags) => {
    expect(files(DOCKER, version)['kubeadm-flags.env']).toBe(`KUBELET_KUBEADM_ARGS=${flags}\n`);
  });

  test('has the name and addresses of the node', () => {
    const argv = ['--cri-socket', CONTAINERD, '--node-name', 'node-b', '--node-ip', '192.0.2.1,fd00::1'];
    const found = files({}, '1.30.0', ...argv)['kubeadm-flags.env'];
    expect(found).toContain(' --hostname-override=node-b --node-ip=192.0.2.1,fd00::1 ');
    expect(files({}, '1.30.0', '--cri-socket', CONTAINERD, '--node-name', 'node-a')['kubeadm-flags.env']).not.toContain(
      'hostname',
    );
  });
});

describe('config.yaml', () => {
  test.each([
    ['1.18.0', undefined, undefined],
    ['1.20.0', undefined, '/run/systemd/resolve/resolv.conf'],
    ['1.21.0', 'systemd', '/run/systemd/resolve/resolv.conf'],
    ['1.36.0', 'systemd', '/run/systemd/resolve/resolv.conf'],
  ])('%s', (version, cgroupDriver, resolvConf) => {
    const argv = ['--cri-socket', CONTAINERD, '--service-cidr', 'fd00:96::/112,10.96.0.0/12'];
    const found = parse(files(RESOLVED, version, ...argv)['config.yaml'] ?? '');
    expect(found).toMatchObject({
      kind: 'KubeletConfiguration',
      authentication: { anonymous: { enabled: false }, x509: { clientCAFile: '/etc/kubernetes/pki/ca.crt' } },
      clusterDNS: ['fd00:96::a'],
      clusterDomain: 'cluster.local',
      rotateCertificates: true,
      staticPodPath: '/etc/kubernetes/manifests',
    });
    expect([found.cgroupDriver, found.resolvConf]).toEqual([cgroupDriver, resolvConf]);
  });

  test('instance-config.yaml has the endpoint in versions where kubeadm writes it', () => {
    const now = files({}, '1.34.1', '--cri-socket', CONTAINERD);
    expect(now['instance-config.yaml']).toBe(`containerRuntimeEndpoint: "unix://${CONTAINERD}"\n`);
    expect(parse(now['config.yaml'] ?? '').containerRuntimeEndpoint).toBe(`unix://${CONTAINERD}`);
    const before = files({}, '1.33.9', '--cri-socket', CONTAINERD);
    expect(Object.keys(before)).toEqual(['config.yaml', 'kubeadm-flags.env']);
    expect(parse(before['config.yaml'] ?? '').containerRuntimeEndpoint).toBeUndefined();
  });
});

test.each([
  ['1.20.2', 'kubelet-config-1.20'],
  ['1.23.17', 'kubelet-config-1.23'],
  ['1.24.0', 'kubelet-config'],
])('the ConfigMap of %s, its Role and RoleBinding', (version, name) => {
  const argv = ['--flow', 'init', '--kubernetes-version', version, '--cri-socket', CONTAINERD, '--configmap'];
  const { host, out } = run({}, ...argv, '--out', '/image');
  expect(out).toContain('wrote /image/var/lib/kubelet/config.yaml\n');
  expect(host.touched).toHaveLength(3);
  const read = host.read('/image/kubelet-config.yaml');
  const objects = parseAllDocuments(read.kind === 'text' ? read.text : '').map((each) => each.toJS());
  const [configMap, role, binding] = objects;
  expect(configMap).toMatchObject({ kind: 'ConfigMap', metadata: { name, namespace: 'kube-system' } });
  expect(parse(configMap.data.kubelet).kind).toBe('KubeletConfiguration');
  expect(role).toMatchObject({
    kind: 'Role',
    metadata: { name: `kubeadm:${name}` },
    rules: [{ resourceNames: [name] }],
  });
  expect(binding).toMatchObject({ roleRef: { kind: 'Role', name: `kubeadm:${name}` } });
  expect(binding.subjects.map((each: { name: string }) => each.name)).toEqual([
    'system:nodes',
    'system:bootstrappers:kubeadm:default-node-token',
  ]);
});

test('join writes the same files as init', () => {
  const argv = ['--kubernetes-version', '1.30.0', '--cri-socket', CONTAINERD];
  expect(run({}, '--flow', 'join', ...argv).out).toBe(run({}, '--flow', 'init', ...argv).out);
});

test.each([
  ['no flow', ['--kubernetes-version', '1.30.0', '--cri-socket', CONTAINERD], '--flow init'],
  ['no runtime', ['--flow', 'init', '--kubernetes-version', '1.30.0'], 'use --cri-socket'],
  ['a path with ..', ['--flow', 'init', '--out', '/image/../etc'], 'without ..'],
  ['a ConfigMap for join', ['--flow', 'join', '--configmap'], 'needs --flow init'],
])('%s: status 2, and nothing is written', (_, argv, message) => {
  const { status, err, host } = run({}, ...argv);
  expect(err).toContain(message);
  expect(status).toBe(2);
  expect(host.touched).toEqual([]);
});

test('a failed write: status 4', () => {
  const argv = ['--flow', 'init', '--kubernetes-version', '1.30.0', '--cri-socket', CONTAINERD, '--out', '/image'];
  const { status, err } = run({ '/image/var/lib/kubelet/config.yaml': { directory: true } }, ...argv);
  expect(status).toBe(4);
  expect(err).toContain('/image/var/lib/kubelet/config.yaml');
});
