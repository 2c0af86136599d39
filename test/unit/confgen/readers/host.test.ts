import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readFacts } from '../../../../src/confgen/facts/read-facts.ts';
import { isLoopback, nameserversOf } from '../../../../src/confgen/facts/resolver.ts';
import { isNodeName } from '../../../../src/confgen/facts/system.ts';
import type { GeneratorData } from '../../../../src/confgen/model/data.ts';
import { memoryHost, type Tree, type TreeNode } from '../../../support/memory-host.ts';
import { noise } from '../../../support/noise.ts';
import { loadVectors } from '../../../support/vectors.ts';

/** The readers only use the version. */
const DATA = { kubeletVersion: '1.33.5' } as GeneratorData;

function codes(tree: Tree): readonly string[] {
  return readFacts(memoryHost(tree), DATA).findings.map(({ code }) => code);
}

function containerd(files: Record<string, string>) {
  const tree = Object.fromEntries(Object.entries(files).map(([name, text]) => [`/etc/containerd/${name}`, text]));
  return readFacts(memoryHost(tree), DATA).runtimes[0];
}

describe('resolv.conf(5)', () => {
  it.each<readonly [string, readonly string[]]>([
    ['nameserver 192.0.2.1\nnameserver\t2001:db8::1 # x\n', ['192.0.2.1', '2001:db8::1']],
    ['# nameserver 192.0.2.1\n;nameserver 192.0.2.1\n nameserver 192.0.2.1\nnameservers 192.0.2.1\n', []],
    ['nameserver fe80::1%eth0\r\nnameserver\nnameserver example.test\n', ['fe80::1%eth0']],
  ])('name servers in %j', (text, servers) => {
    expect(nameserversOf(text)).toEqual(servers);
  });

  it.each([
    ['127.0.0.53', true],
    ['127.1.2.3', true],
    ['::1', true],
    ['0:0:0:0:0:0:0:1', true],
    ['::ffff:127.0.0.1', true],
    ['::1%lo', true],
    ['192.0.2.127', false],
    ['1.1.1.1', false],
    ['::11', false],
    ['2001:db8::1', false],
    ['1::1', false],
  ])('%s is a loopback address: %s', (address, loopback) => {
    expect(isLoopback(address)).toBe(loopback);
  });
});

it.each([
  ['node-a', true],
  ['NODE.Example', true],
  ['a', true],
  ['', false],
  ['-a', false],
  ['a-', false],
  ['a..b', false],
  ['a_b', false],
  ['a'.repeat(253), true],
  ['a'.repeat(254), false],
])('%.20s is a valid node name: %s', (name, valid) => {
  expect(isNodeName(name)).toBe(valid);
});

describe("containerd's configuration", () => {
  const V2 = 'version = 2\n[plugins."io.containerd.grpc.v1.cri".containerd]\n';
  it.each<readonly [string, Record<string, string>, string | undefined]>([
    ['with defaults', { 'config.toml': 'version = 2\n' }, 'cgroupfs'],
    ['with SystemdCgroup = false', { 'config.toml': `${V2}runtimes.runc.options.SystemdCgroup = false\n` }, 'cgroupfs'],
    ['of version 1, with the short section name', { 'config.toml': '[plugins.cri]\nsystemd_cgroup = true' }, 'systemd'],
    [
      'of version 1, with the long section name',
      { 'config.toml': '[plugins."io.containerd.grpc.v1.cri"]\nsystemd_cgroup = true' },
      'systemd',
    ],
    [
      'of containerd 1.2',
      { 'config.toml': '[plugins.cri.containerd.default_runtime.options]\nSystemdCgroup = true' },
      'systemd',
    ],
    [
      'for a runtime that is not the default',
      { 'config.toml': `${V2}runtimes.crun.options.SystemdCgroup = true\n` },
      'cgroupfs',
    ],
    [
      'with a default runtime other than runc',
      {
        'config.toml': `${V2}default_runtime_name = "kata"\nruntimes.kata.runtime_type = "io.containerd.kata.v2"\nruntimes.runc.options.SystemdCgroup = true\n`,
      },
      'systemd',
    ],
    ['with a missing import', { 'config.toml': 'version = 2\nimports = ["x.toml"]' }, undefined],
    ['with an invalid import', { 'config.toml': 'version = 2\nimports = ["*.toml"]', 'x.toml': '=' }, undefined],
    [
      'with only a directory of drop-ins',
      { 'conf.d/a.toml': `${V2}runtimes.runc.options.SystemdCgroup = true\n` },
      undefined,
    ],
  ])('%s: cgroup driver', (_, files, driver) => {
    expect(containerd(files)?.cgroupDriver).toBe(driver);
  });

  it.each(['cri', 'io.containerd.grpc.v1.cri', 'io.containerd.cri.v1.runtime'])('disables the plugin %s', (id) => {
    expect(containerd({ 'config.toml': `disabled_plugins = ["x", "${id}"]` })?.criDisabled).toBe(true);
  });

  it('of version 4 has the address in another section', () => {
    const text = 'version = 4\n[plugins."io.containerd.server.v1.grpc"]\naddress = "/run/x.sock"\n';
    expect(containerd({ 'config.toml': text })).toMatchObject({
      endpoint: 'unix:///run/x.sock',
      reportsCgroupDriver: true,
    });
  });

  it('is read up to 100 files', () => {
    const files = Object.fromEntries(
      Array.from({ length: 150 }, (_, at) => [`d/${at}.toml`, `imports = ["${at + 1}.toml"]`]),
    );
    const tree = Object.fromEntries(Object.entries(files).map(([name, text]) => [`/etc/containerd/${name}`, text]));
    expect(codes({ ...tree, '/etc/containerd/config.toml': 'imports = ["d/0.toml"]' })).toEqual(['too-many-files']);
  });
});

describe('readers', () => {
  it('report a problem once when several readers find it', () => {
    const tree: Tree = {
      '/etc/default/kubelet': { denied: true },
      '/run/cri-dockerd.sock': { socket: true },
      '/etc/docker/daemon.json': '[',
    };
    expect(codes(tree)).toEqual(['unreadable-file', 'invalid-json']);
  });

  it('stop reading at the total size limit', () => {
    const big = `#${'x'.repeat(1_000_000)}\n`;
    const tree = Object.fromEntries(Array.from({ length: 50 }, (_, at) => [`/etc/crio/crio.conf.d/${at + 10}`, big]));
    expect([...new Set(codes(tree))]).toEqual(['too-large-file']);
    expect(codes(tree)).toHaveLength(42);
  });

  it('do not throw when every operation of the host throws', () => {
    const broken = new Proxy(memoryHost({}), {
      get: () => () => {
        throw new Error('I/O');
      },
    });
    expect(readFacts(broken, DATA).runtimes).toEqual([]);
  });

  it('mark a configuration that is not understood as unclear', () => {
    for (const node of [
      'a: *b\n',
      'resolvConf: [x]\n',
      'cgroupDriver: true\n',
      'failSwapOn: "no"\n',
      { hex: 'ff' },
    ] satisfies TreeNode[]) {
      const facts = readFacts(memoryHost({ '/var/lib/kubelet/config.yaml': node }), DATA);
      expect(facts.kubelet.config?.unclear).toBe(true);
      expect(facts.findings).toHaveLength(1);
    }
  });

  it('use the env file in the drop-in', () => {
    const dropIn = {
      '/usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf':
        '[Service]\nEnvironmentFile=-/etc/sysconfig/kubelet\n',
    };
    const facts = readFacts(memoryHost({ ...dropIn, '/etc/default/kubelet': '', '/var/lib/dpkg/status': '' }), DATA);
    expect(facts.kubelet.extraArgs).toEqual({ path: '/etc/sysconfig/kubelet', present: false, flags: [] });
  });

  it('do not throw, hang or write for any files', () => {
    const vectors = loadVectors();
    const paths = [...new Set(vectors.flatMap(({ tree }) => Object.keys(tree)))].sort();
    const texts = vectors.flatMap(({ tree }) => Object.values(tree)).filter((node) => typeof node === 'string');
    const mangled = fc.tuple(fc.constantFrom(...texts), fc.nat(), fc.nat(20), noise(8)).map(([text, at, cut, put]) => {
      const from = text.length === 0 ? 0 : at % text.length;
      return text.slice(0, from) + put + text.slice(from + cut);
    });
    const node: fc.Arbitrary<TreeNode> = fc.oneof(
      { weight: 6, arbitrary: mangled },
      noise(),
      fc.constantFrom<TreeNode>(
        { directory: true },
        { socket: true },
        { other: true },
        { denied: true },
        { size: 1 << 21 },
      ),
      fc.constantFrom(...paths).map((link) => ({ link })),
    );
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...paths), node, { maxKeys: 20 }), (tree) => {
        const host = memoryHost(tree);
        const started = Date.now();
        const facts = readFacts(host, DATA);
        expect(Date.now() - started).toBeLessThan(1_000);
        expect(host.touched).toEqual([]);
        const keys = facts.findings.map(({ code, evidence }) => [code, ...evidence].join('\n'));
        expect(new Set(keys).size).toBe(keys.length);
      }),
      { numRuns: 1_000 },
    );
  });
});
