import { describe, expect, test } from 'vitest';
import { cgroupMode, decide } from '../../../src/container/decide.ts';
import { type HostFacts, parseCgroups } from '../../../src/container/host-facts.ts';

const ALL = (1n << 41n) - 1n;
const WITHOUT_SYS_RESOURCE = ALL & ~(1n << 24n);
const WITHOUT_SYS_ADMIN = ALL & ~(1n << 21n);

const V2 = [{ path: '/sys/fs/cgroup', version: 2, controllers: [], own: '/user.slice' }] as const;
const MEMORY = { path: '/sys/fs/cgroup/memory', version: 1, controllers: ['memory'], own: '/session' } as const;
const CPU = { path: '/sys/fs/cgroup/cpu,cpuacct', version: 1, controllers: ['cpu', 'cpuacct'], own: '/' } as const;
const HYBRID = [MEMORY, CPU, { path: '/sys/fs/cgroup/unified', version: 2, controllers: [], own: '/' }] as const;

const ORDINARY: HostFacts = {
  platform: 'linux',
  user: 0,
  capabilities: ALL,
  hardLimits: { openFiles: 1_048_576, processes: 100_000 },
  pidMax: 4_194_304,
  cgroups: V2,
  systemd: true,
  devices: ['/dev/kmsg'],
  programs: ['crun', 'unshare'],
};

const PRIVATE = ['--cgroups=disabled', '--cgroupns=private'];

describe('podman on', () => {
  const hosts: [
    string,
    Partial<HostFacts>,
    { global: string[]; run: string[]; parents?: string[]; systemd: RegExp | true },
  ][] = [
    ['a typical machine, as root', {}, { global: [], run: [], systemd: true }],
    ['a typical machine, without root', { user: 1000, capabilities: 0n }, { global: [], run: [], systemd: true }],
    [
      'cgroup v2, no systemd, as root',
      { systemd: false },
      { global: ['--cgroup-manager=cgroupfs', '--events-backend=file'], run: ['--log-driver=k8s-file'], systemd: true },
    ],
    [
      'cgroup v2, no systemd, without root',
      { systemd: false, user: 1000, capabilities: 0n },
      {
        global: ['--cgroup-manager=cgroupfs', '--events-backend=file'],
        run: ['--log-driver=k8s-file'],
        systemd: /systemd does not run here/,
      },
    ],
    [
      'hybrid cgroups, no systemd, no CAP_SYS_RESOURCE',
      {
        cgroups: HYBRID,
        systemd: false,
        capabilities: WITHOUT_SYS_RESOURCE,
        pidMax: 32_768,
        hardLimits: { openFiles: 20_000, processes: 96_365 },
      },
      {
        global: ['--runtime=crun', '--cgroup-manager=cgroupfs', '--events-backend=file'],
        run: [...PRIVATE, '--log-driver=k8s-file', '--ulimit=nofile=20000:20000', '--ulimit=nproc=32768:32768'],
        parents: ['/sys/fs/cgroup/memory/session', '/sys/fs/cgroup/cpu,cpuacct'],
        systemd: true,
      },
    ],
    [
      'cgroup v1 and systemd',
      { cgroups: [MEMORY] },
      {
        global: ['--runtime=crun', '--cgroup-manager=cgroupfs'],
        run: PRIVATE,
        parents: ['/sys/fs/cgroup/memory/session'],
        systemd: true,
      },
    ],
    [
      'no cgroups, and runc without crun',
      { cgroups: [], programs: ['unshare'] },
      { global: ['--cgroup-manager=cgroupfs'], run: PRIVATE, parents: [], systemd: true },
    ],
    [
      'hybrid cgroups, without root',
      { cgroups: HYBRID, user: 1000, capabilities: 0n },
      { global: [], run: [], systemd: /podman without root/ },
    ],
    [
      'hybrid cgroups, without CAP_SYS_ADMIN',
      { cgroups: HYBRID, capabilities: WITHOUT_SYS_ADMIN },
      { global: [], run: [], systemd: /CAP_SYS_ADMIN/ },
    ],
    [
      'no hard limits',
      { capabilities: WITHOUT_SYS_RESOURCE, hardLimits: { openFiles: undefined, processes: undefined } },
      { global: [], run: ['--ulimit=nproc=4194304:4194304'], systemd: true },
    ],
  ];
  test.each(hosts)('%s', (_, facts, expected) => {
    const { globalFlags, runFlags, privateCgroups, withoutSystemd } = decide('podman', { ...ORDINARY, ...facts });
    expect({ globalFlags, runFlags, parents: privateCgroups?.parents }).toEqual({
      globalFlags: expected.global,
      runFlags: expected.run,
      parents: expected.parents,
    });
    if (expected.systemd === true) expect(withoutSystemd).toBeUndefined();
    else expect(withoutSystemd).toMatch(expected.systemd);
  });

  test('a machine that differs: says how', () => {
    const facts = { ...ORDINARY, cgroups: HYBRID, capabilities: WITHOUT_SYS_RESOURCE };
    expect(decide('podman', facts).notes.join('\n')).toMatch(/hybrid cgroups[\s\S]*Resource limits/);
    expect(decide('podman', ORDINARY).notes).toEqual([]);
  });
});

test.each([
  ['v2', V2, undefined],
  ['hybrid', HYBRID, /docker can only/],
  ['v1', [MEMORY], /docker can only/],
] as const)('docker on a machine with cgroups %s', (mode, cgroups, reason) => {
  expect(cgroupMode(cgroups)).toBe(mode);
  const { withoutSystemd, privateCgroups } = decide('docker', { ...ORDINARY, cgroups });
  expect(privateCgroups).toBeUndefined();
  if (reason === undefined) expect(withoutSystemd).toBeUndefined();
  else expect(withoutSystemd).toMatch(reason);
});

describe('the cgroup hierarchies of a machine', () => {
  const mount = (path: string, type: string, options: string, root = '/') =>
    `31 23 0:28 ${root} ${path} rw,relatime shared:9 - ${type} cgroup ${options}`;

  test('v2 only', () => {
    expect(parseCgroups(mount('/sys/fs/cgroup', 'cgroup2', 'rw,nsdelegate'), '0::/user.slice\n')).toEqual([
      { path: '/sys/fs/cgroup', version: 2, controllers: [], own: '/user.slice' },
    ]);
  });

  test('hybrid, with combined controllers and a named hierarchy', () => {
    const mounts = [
      mount('/sys/fs/cgroup', 'tmpfs', 'rw'),
      mount('/sys/fs/cgroup/cpu,cpuacct', 'cgroup', 'rw,cpu,cpuacct'),
      mount('/sys/fs/cgroup/systemd', 'cgroup', 'rw,xattr,release_agent=/x,name=systemd'),
      mount('/sys/fs/cgroup/unified', 'cgroup2', 'rw'),
      mount('/proc', 'proc', 'rw'),
    ].join('\n');
    expect(parseCgroups(mounts, '3:cpu,cpuacct:/a\n1:name=systemd:/b\n0::/c\n')).toEqual([
      { path: '/sys/fs/cgroup/cpu,cpuacct', version: 1, controllers: ['cpu', 'cpuacct'], own: '/a' },
      { path: '/sys/fs/cgroup/systemd', version: 1, controllers: ['name=systemd'], own: '/b' },
      { path: '/sys/fs/cgroup/unified', version: 2, controllers: [], own: '/c' },
    ]);
  });

  test.each([
    ['/docker/1', '/docker/1/x', '/x'],
    ['/docker/1', '/other', '/'],
    ['/', '/../../x', '/'],
  ])('a mount that shows %s of a hierarchy, this process in %s: %s', (root, group, own) => {
    const [found] = parseCgroups(mount('/sys/fs/cgroup/memory', 'cgroup', 'rw,memory', root), `4:memory:${group}`);
    expect(found?.own).toBe(own);
  });

  test('nothing readable', () => {
    expect(parseCgroups('', '')).toEqual([]);
    expect(parseCgroups('- - -\nx', '::::')).toEqual([]);
  });
});
