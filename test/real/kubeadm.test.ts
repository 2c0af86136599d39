/**
 * Compares kubelet-confgen with the real kubeadm 1.20.2: `render kubelet-start` prints the files of `kubeadm init phase
 * kubelet-start`, and kubeadm accepts the output of `kubeadm-config`. kubeadm runs in its own mount namespace, with an
 * empty /var/lib and a copy of /etc.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { buildRealPayload } from '../../scripts/real-payload.ts';
import { loadCatalog } from '../../src/catalog/catalog.ts';
import { generatorData } from '../../src/catalog/generator-data.ts';
import { kubeadmConfigCommand } from '../../src/confgen/commands/kubeadm-config.ts';
import { renderCommand } from '../../src/confgen/commands/render-kubelet-start.ts';
import type { GeneratorData } from '../../src/confgen/model/data.ts';
import { memoryHost, type Tree } from '../support/memory-host.ts';

const work = mkdtempSync(join(tmpdir(), 'kubeparcel-kubeadm-'));
let kubeadm = '';
let data: GeneratorData;

const CONTAINERD: Tree = {
  '/run/containerd/containerd.sock': { socket: true },
  '/etc/containerd/config.toml':
    'version = 2\n[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]\n  SystemdCgroup = true\n',
};
const DOCKER: Tree = {
  '/run/docker.sock': { socket: true },
  '/var/run': { link: '/run' },
  '/usr/bin/dockerd': '',
  '/etc/docker/daemon.json': '{"exec-opts": ["native.cgroupdriver=systemd"]}',
};
const RESOLVED: Tree = {
  '/run/systemd/resolve/resolv.conf': 'nameserver 192.0.2.53\n',
  '/etc/resolv.conf': { link: '/run/systemd/resolve/stub-resolv.conf' },
  '/run/systemd/resolve/stub-resolv.conf': 'nameserver 127.0.0.53\n',
};

const IPV6 = ['--service-cidr', 'fd00:10:96::/112', '--pod-cidr', 'fd00:10:244::/56'];
const DUAL = ['--service-cidr', '10.96.0.0/12,fd00:10:96::/112', '--pod-cidr', '10.244.0.0/16,fd00:10:244::/56'];

const cases: readonly [name: string, tree: Tree, flags: readonly string[]][] = [
  ['containerd', CONTAINERD, []],
  ['containerd, systemd-resolved', { ...CONTAINERD, ...RESOLVED }, ['--node-name', 'node-a']],
  ['containerd, another network', CONTAINERD, ['--service-cidr', '172.20.0.0/16', '--pod-cidr', '10.0.0.0/16']],
  ['containerd, IPv6', CONTAINERD, [...IPV6, '--advertise-address', 'fd00::10', '--node-ip', 'fd00::10']],
  ['containerd, dual stack, systemd-resolved', { ...CONTAINERD, ...RESOLVED }, DUAL],
  ['Docker', DOCKER, []],
  ['Docker, systemd-resolved, a node name', { ...DOCKER, ...RESOLVED }, ['--node-name', 'node-b.example.org']],
  [
    'CRI-O with --cri-socket',
    CONTAINERD,
    ['--cri-socket', 'unix:///var/run/crio/crio.sock', '--node-ip', '192.0.2.10'],
  ],
];

beforeAll(async () => {
  const payload = await buildRealPayload({ say: (line) => process.stdout.write(`${line}\n`) });
  kubeadm = join(payload.directory, payload.architecture, 'kubeadm');
  data = generatorData(await loadCatalog(), payload.versions.kubernetes);
});

afterAll(() => rmSync(work, { recursive: true, force: true }));

type Command = typeof kubeadmConfigCommand;

function run(command: Command, tree: Tree, ...argv: string[]): string {
  let out = '';
  let err = '';
  const host = memoryHost(tree, hostname());
  const status = command(argv, host, { out: (text) => (out += text), err: (text) => (err += text) }, data);
  expect(err).toBe('');
  expect(status).toBe(0);
  return out;
}

/** Runs a script with kubeadm in a mount namespace, so that it changes nothing on this machine. */
async function inNamespace(script: string, config: string, resolved = false) {
  writeFileSync(join(work, 'config.yaml.in'), config);
  const tools = {
    systemctl: `case "$1" in is-active) echo ${resolved ? 'active' : 'inactive'};; esac`,
    docker: 'echo systemd',
  };
  const lines = [
    'set -e',
    `mount -t tmpfs tmpfs /mnt; cp -a /etc /mnt/etc; mount --bind /mnt/etc /etc; rm -rf /etc/kubernetes`,
    'mount -t tmpfs tmpfs /var/lib; mkdir /mnt/bin; PATH=/mnt/bin:$PATH',
    ...Object.entries(tools).map(
      ([name, text]) => `printf '%s\\n' '#!/bin/sh' '${text}' > /mnt/bin/${name}; chmod +x /mnt/bin/${name}`,
    ),
    script,
  ];
  const user = process.getuid?.() === 0 ? [] : ['--map-root-user'];
  return execa('unshare', [...user, '--mount', 'sh', '-c', lines.join('\n')], {
    env: { KUBEADM: kubeadm, CONFIG: join(work, 'config.yaml.in'), OUT: work },
    reject: false,
    all: true,
  });
}

/** Removes the zero values that Go writes for unset fields. */
function withoutZeroValues(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const entries = Object.entries(value)
    .map(([key, each]) => [key, withoutZeroValues(each)] as const)
    .filter(([, each]) => each !== '0s' && !(typeof each === 'object' && each && Object.keys(each).length === 0));
  return Object.fromEntries(entries);
}

describe.each(cases)('%s', (_, tree, flags) => {
  const resolved = '/run/systemd/resolve/resolv.conf' in tree;
  const forRender = flags.filter((flag, index) => {
    const name = flag.startsWith('--') ? flag : (flags[index - 1] ?? '');
    return name !== '--pod-cidr' && name !== '--advertise-address';
  });

  test('render kubelet-start gives the files of kubeadm init phase kubelet-start', async () => {
    const config = run(kubeadmConfigCommand, tree, '--kind', 'init', ...withAddress(flags));
    const { exitCode, all } = await inNamespace(
      '"$KUBEADM" init phase kubelet-start --config "$CONFIG" && cp /var/lib/kubelet/* "$OUT"',
      config,
      resolved,
    );
    expect(exitCode, `${all}\n${config}`).toBe(0);
    const rendered = run(renderCommand, tree, 'kubelet-start', '--flow', 'init', '--output', 'json', ...forRender);
    const files: { path: string; mode: string; text: string }[] = JSON.parse(rendered).files;
    expect(files.map(({ path, mode }) => `${path} ${mode}`)).toEqual([
      '/var/lib/kubelet/config.yaml 0644',
      '/var/lib/kubelet/kubeadm-flags.env 0644',
    ]);
    expect(files[1]?.text).toBe(readFileSync(join(work, 'kubeadm-flags.env'), 'utf8'));
    const real = parse(readFileSync(join(work, 'config.yaml'), 'utf8'));
    expect(withoutZeroValues(parse(files[0]?.text ?? ''))).toEqual(withoutZeroValues(real));
    expect(real.kind).toBe('KubeletConfiguration');
  });

  test('kubeadm accepts the configuration for init', async () => {
    const config = run(
      kubeadmConfigCommand,
      tree,
      ...['--kind', 'init', '--token', 'abcdef.0123456789abcdef', '--control-plane-endpoint', 'cp.example.org:6443'],
      ...withAddress(flags),
    );
    await expectMigrates(config);
    const { all } = await inNamespace(
      '"$KUBEADM" init --dry-run --ignore-preflight-errors=all --config "$CONFIG" -v 5',
      config,
      resolved,
    );
    // Certificates, kubeconfigs, the kubelet's files and the static pods; no step needs the cluster.
    expect(all).toContain('Creating static Pod manifest for "kube-controller-manager"');
    expect(all).not.toMatch(/unknown field|error unmarshaling|strict decoding/i);
  });

  test('kubeadm accepts the configuration for join', async () => {
    const hash = `sha256:${'0123456789abcdef'.repeat(4)}`;
    const node = flags.filter((flag, index) =>
      /^--(cri|node)-/.test(flag.startsWith('--') ? flag : (flags[index - 1] ?? '')),
    );
    const config = run(
      kubeadmConfigCommand,
      tree,
      ...['--kind', 'join', '--token', 'abcdef.0123456789abcdef', '--ca-cert-hash', hash],
      ...['--api-server-endpoint', '192.0.2.1', ...node],
    );
    await expectMigrates(config);
  });
});

test.each(['v1beta1', 'v1beta2'])('kubeadm migrates %s without warnings', async (api) => {
  await expectMigrates(run(kubeadmConfigCommand, CONTAINERD, '--kind', 'init', '--api-version', api));
});

test('kubeadm rejects an invalid configuration', async () => {
  const config = run(kubeadmConfigCommand, CONTAINERD, '--kind', 'init').replace(
    'serviceSubnet: 10',
    'serviceSubnet: x',
  );
  const { exitCode } = await migrate(config);
  expect(exitCode).not.toBe(0);
});

/** Without an address, kubeadm needs a default route. */
function withAddress(flags: readonly string[]): string[] {
  return flags.includes('--advertise-address') ? [...flags] : [...flags, '--advertise-address', '192.0.2.10'];
}

function migrate(config: string) {
  writeFileSync(join(work, 'old.yaml'), config);
  return execa(kubeadm, ['config', 'migrate', '--old-config', join(work, 'old.yaml')], { reject: false });
}

async function expectMigrates(config: string): Promise<void> {
  const { exitCode, stdout, stderr } = await migrate(config);
  expect(exitCode, stderr).toBe(0);
  expect(stderr).not.toMatch(/unknown field|strict/i);
  const [given, migrated] = [config, stdout].map((text) => parseAllDocuments(text).map((each) => each.toJS()));
  for (const document of given ?? []) {
    // kubeadm config migrate omits it; the test of kubelet-start covers it.
    if (document.kind === 'KubeletConfiguration') continue;
    const found = migrated?.find(({ kind }) => kind === document.kind);
    expect(found, document.kind).toBeDefined();
    expect(found).toMatchObject({ ...document, apiVersion: found.apiVersion });
  }
}
