import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { main } from '../../../src/confgen/commands/main.ts';
import { bytesOf, memoryHost, type Tree } from '../../support/memory-host.ts';
import { DATA } from './host-facts.ts';

const data = { ...DATA, kubeletVersion: '1.36.4' };
const CONFIG = '/etc/kubernetes/kubelet.conf.d/00-kubelet-confgen.conf';

/** A running node. */
const NODE: Tree = {
  '/etc/os-release': 'ID=debian\nVERSION_ID="12"\n',
  '/etc/hostname': 'node-a\n',
  '/etc/resolv.conf': 'nameserver 192.0.2.1\n',
  '/etc/containerd/config.toml':
    'version = 2\n[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]\nSystemdCgroup = true\n',
  '/run/containerd/containerd.sock': { socket: true },
  '/run/systemd/system': { directory: true },
  '/sys/fs/cgroup/cgroup.controllers': 'cpu memory pids\n',
  '/sys/module/br_netfilter': { directory: true },
  '/sys/module/overlay': { directory: true },
  '/proc/modules': 'br_netfilter 1 0 - Live 0x0\noverlay 1 0 - Live 0x0\n',
  '/proc/filesystems': 'nodev\toverlay\n',
  '/proc/sys/net/bridge/bridge-nf-call-iptables': '1\n',
  '/proc/sys/net/ipv4/ip_forward': '1\n',
  '/proc/swaps': 'Filename\tType\tSize\tUsed\tPriority\n',
};

interface Ran {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

function run(words: string, host = memoryHost(NODE), version: string | undefined = '1.36.4'): Ran {
  let [out, err] = ['', ''];
  const output = {
    out: (text: string) => {
      out += text;
    },
    err: (text: string) => {
      err += text;
    },
  };
  const argv = words.split(' ').filter((word) => word !== '');
  return { status: main(argv, host, output, { ...data, kubeletVersion: version }), out, err };
}

test('check reports differences before apply, none after, and again after an upgrade or an edit', () => {
  const host = memoryHost(NODE);
  expect(run('check', host)).toMatchObject({ status: 1, err: '' });
  expect(run('apply', host)).toMatchObject({ status: 0, out: expect.stringContaining(`wrote ${CONFIG}`), err: '' });
  expect(run('check', host)).toMatchObject({ status: 0, out: 'kubelet 1.36.4\nno changes\n' });
  expect(run('check', host, '1.29.0').status).toBe(1);
  host.write(CONFIG, '# mine\n', 0o644);
  const edited = run('check', host);
  expect(edited.status).toBe(1);
  expect(edited.out).toContain('[edited-file]');
});

test('check reports errors when the files are up to date', () => {
  const swap = 'Filename\tType\tSize\tUsed\tPriority\n/dev/sda2\tpartition\t1\t0\t-2\n';
  const host = memoryHost({ ...NODE, '/proc/swaps': swap });
  expect(run('apply', host).status).toBe(0);
  const checked = run('check', host);
  expect(checked.status).toBe(3);
  expect(checked.out).toMatch(/^error: .*\[swap-on\]$/m);
  expect(checked.out).toContain('    found: /proc/swaps: /dev/sda2');
});

test('plan, check and explain write nothing', () => {
  const host = memoryHost(NODE);
  for (const command of ['plan', 'check', 'explain', '--help', 'help']) run(command, host);
  expect(host.touched).toEqual([]);
});

test('explain also shows info findings and the contents of files', () => {
  expect(run('plan').out).not.toMatch(/^info: |containerRuntimeEndpoint: /m);
  const { out } = run('explain');
  expect(out).toMatch(/^ {4}containerRuntimeEndpoint: unix:\/\/\/run\/containerd\/containerd\.sock$/m);
  expect(out).toMatch(/^info: .*\[cgroup-driver\]\n {4}found: containerd: systemd \(\/etc\/containerd\/config\.toml/m);
});

test('JSON and YAML have the same content, and flags may be anywhere', () => {
  const json: unknown = JSON.parse(run('plan --output json').out);
  expect(json).toMatchObject({ kubelet: '1.36.4', changes: [{ kind: 'write', path: CONFIG, mode: '0644' }, {}] });
  expect(parse(run('--output=yaml plan').out)).toEqual(json);
  expect(JSON.parse(run('--output json plan --root /').out)).toEqual(json);
});

describe('invalid command lines', () => {
  test.each([
    '',
    'bogus',
    'plan --quiet',
    'plan more',
    'plan --output',
    'plan --output xml',
    '--frob plan',
    'apply --x',
  ])('%j is rejected', (words) => {
    const host = memoryHost(NODE);
    const { status, out, err } = run(words, host);
    expect(status).toBe(2);
    expect(out).toBe('');
    expect(err).toMatch(/^kubelet-confgen: .*\nsee kubelet-confgen --help\n$/);
    expect(host.touched).toEqual([]);
  });

  test('are printed without control characters', () => {
    expect(run('\u001b[2Jx').err).toContain('?[2Jx');
  });
});

describe('in a hook', () => {
  test('the written files are printed once on a healthy host', () => {
    const host = memoryHost(NODE);
    const { status, out, err } = run('apply --quiet', host);
    expect({ status, out }).toEqual({ status: 0, out: '' });
    for (const line of err.trimEnd().split('\n')) expect(line).toMatch(/^kubelet-confgen: wrote \//);
    expect(run('apply --quiet', host)).toEqual({ status: 0, out: '', err: '' });
    expect(run('crictl --quiet --root=/', host).err).toBe('kubelet-confgen: wrote /etc/crictl.yaml\n');
    expect(run('crictl --quiet --root=/', host)).toEqual({ status: 0, out: '', err: '' });
  });

  test('at most five lines of warnings and errors are printed, errors first', () => {
    const bare = memoryHost(
      { '/run/systemd/system': { directory: true }, '/sys/fs/cgroup/cgroup.controllers': '' },
      'a_b',
    );
    const { status, err } = run('apply --quiet', bare);
    expect(status).toBe(0);
    const printed = err.trimEnd().split('\n');
    const lines = printed.filter((line) => !line.startsWith('kubelet-confgen: wrote '));
    expect(printed.slice(0, lines.length)).toEqual(lines);
    expect(lines.length).toBeGreaterThan(1);
    expect(lines.length).toBeLessThanOrEqual(5);
    expect(lines[0]).toMatch(/^kubelet-confgen: error: /);
    for (const line of lines) expect(line).toMatch(/^kubelet-confgen: /);
  });

  test('nothing is printed in an image, but the files are written', () => {
    const image = memoryHost({ '/etc/os-release': 'ID=debian\n' });
    expect(run('apply --quiet', image)).toEqual({ status: 0, out: '', err: '' });
    expect(image.tree()).toHaveProperty([CONFIG]);
  });

  test.each(['apply --quiet', 'apply --quiet --frob', 'frob --quiet', 'crictl --quiet'])('%s never fails', (words) => {
    const thrown = () => {
      throw new Error('read-only file system');
    };
    expect(run(words, { ...memoryHost(NODE), write: thrown }).status).toBe(0);
    expect(run(words, { ...memoryHost(NODE), read: thrown, stat: thrown, list: thrown, hostName: thrown }).status).toBe(
      0,
    );
  });

  test('a failed write gives status 4 without --quiet', () => {
    const full = {
      ...memoryHost(NODE),
      write: () => {
        throw new Error('no space left on device');
      },
    };
    const { status, out } = run('apply', full);
    expect(status).toBe(4);
    expect(out).toContain('no space left on device');
  });
});

test.each([
  ['/etc/kubelet-confgen.conf', 'KUBELET_CONFGEN=off\n'],
  ['/etc/default/kubelet', 'KUBELET_EXTRA_ARGS=\nKUBELET_CONFGEN="off"\n'],
])('a line in %s disables the generator', (path, text) => {
  const host = memoryHost(NODE);
  run('apply', host);
  const off = memoryHost({ ...host.tree(), [path]: text });
  const before = off.tree();
  expect(run('apply', off)).toMatchObject({ status: 0, err: '' });
  expect(run('crictl', off).status).toBe(0);
  expect(run('explain', off).out).toContain('[off]');
  expect(run('check', off).status).toBe(0);
  expect(off.tree()).toEqual(before);
});

test('an unsupported version of the kubelet is reported, and nothing is written', () => {
  const host = memoryHost(NODE);
  const { status, out } = run('apply', host, '1.99.0');
  expect(status).toBe(0);
  expect(out).toContain('[kubelet-version-unknown]');
  expect(host.touched).toEqual([]);
});

test('crictl writes its file once, and does not replace another one', () => {
  const host = memoryHost(NODE);
  expect(run('crictl', host).out).toContain('wrote /etc/crictl.yaml');
  expect(run('crictl', host).out).toContain('no changes');
  const theirs = memoryHost({ ...NODE, '/etc/crictl.yaml': 'debug: true\n' });
  expect(run('crictl --quiet', theirs)).toEqual({ status: 0, out: '', err: '' });
  expect(Buffer.from(bytesOf(theirs.tree()['/etc/crictl.yaml'] ?? '')).toString()).toBe('debug: true\n');
});

test('kubeadm-config and render get their arguments', () => {
  expect(run('kubeadm-config --help').status).toBe(0);
  expect(run('render --help').status).toBe(0);
  expect(run('kubeadm-config --kind init --output yaml').out).toContain('kubeadm.k8s.io/');
  expect(run('--output yaml kubeadm-config --kind init').out).toContain('kubeadm.k8s.io/');
});
