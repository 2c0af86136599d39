import { describe, expect, test } from 'vitest';
import type { Decisions } from '../../../src/container/decide.ts';
import type { EngineName, StartOptions } from '../../../src/container/engine.ts';
import { startCommand } from '../../../src/container/run-arguments.ts';
import { ENTER, INIT } from '../../../src/container/scripts.ts';

const PLAIN: Decisions = {
  globalFlags: [],
  runFlags: [],
  privateCgroups: undefined,
  withoutSystemd: undefined,
  notes: [],
};
const HYBRID: Decisions = {
  ...PLAIN,
  globalFlags: ['--runtime=crun'],
  runFlags: ['--cgroups=disabled'],
  privateCgroups: { parents: ['/sys/fs/cgroup/memory/x', '/sys/fs/cgroup/cpu'] },
};
const OPTIONS: StartOptions = { image: 'localhost/x:local', name: 'kubeparcel-1-debian-12-install', init: 'systemd' };

function command(options: Partial<StartOptions> = {}, decisions = PLAIN, engine: EngineName = 'podman') {
  return startCommand({ ...OPTIONS, ...options }, { engine, decisions, runId: 'b.1.2.3', devices: ['/dev/kmsg'] });
}

describe('a container with systemd', () => {
  test('podman', () => {
    expect(command()).toEqual([
      'podman',
      'run',
      '--detach',
      '--name=kubeparcel-1-debian-12-install',
      '--pull=never',
      '--network=none',
      '--hostname=node',
      '--label=io.kubeparcel.run=b.1.2.3',
      '--label=io.kubeparcel=container',
      '--cap-add=ALL',
      '--security-opt=seccomp=unconfined',
      '--security-opt=apparmor=unconfined',
      '--device=/dev/kmsg',
      '--security-opt=label=disable',
      '--security-opt=unmask=ALL',
      '--systemd=always',
      '--entrypoint=',
      'localhost/x:local',
      '/bin/sh',
      '-c',
      INIT,
      'io.kubeparcel',
      'v2',
      '/sbin/init',
    ]);
  });

  test('docker', () => {
    const words = command({}, PLAIN, 'docker');
    expect(words.slice(0, 3)).toEqual(['docker', 'run', '--detach']);
    for (const flag of [
      '--security-opt=systempaths=unconfined',
      '--cgroupns=private',
      '--tmpfs=/run:rw,exec,mode=755',
      '--tmpfs=/run/lock',
      '--tmpfs=/tmp:rw,exec,mode=1777',
      '--env=container=docker',
      '--stop-signal=RTMIN+3',
    ]) {
      expect(words).toContain(flag);
    }
    expect(words.filter((word) => /systemd=|unmask|label=disable|privileged/.test(word))).toEqual([]);
    expect(words.slice(-2)).toEqual(['v2', '/sbin/init']);
  });

  test('in a private mount namespace, if the machine requires it', () => {
    const words = command({}, HYBRID);
    expect(words.slice(0, 10)).toEqual([
      'unshare',
      '--mount',
      '--propagation=private',
      '/bin/sh',
      '-c',
      ENTER,
      'io.kubeparcel',
      'b.1.2.3/kubeparcel-1-debian-12-install',
      '--',
      'podman',
    ]);
    expect(words.slice(10, 12)).toEqual(['--runtime=crun', 'run']);
    expect(words.slice(-2)).toEqual(['v2', '/sbin/init']);
  });

  test('with controllers in cgroup v1', () => {
    const words = command({ controllers: true }, HYBRID);
    expect(words.slice(7, 11)).toEqual([
      'b.1.2.3/kubeparcel-1-debian-12-install',
      '/sys/fs/cgroup/memory/x',
      '/sys/fs/cgroup/cpu',
      '--',
    ]);
    expect(words.slice(-4)).toEqual([
      'v1',
      '/sbin/init',
      'systemd.unified_cgroup_hierarchy=0',
      'SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1',
    ]);
    expect(command({ controllers: true })).toEqual(command());
  });
});

test('a container without systemd gets no privileges', () => {
  for (const engine of ['podman', 'docker'] as const) {
    const words = command({ init: 'none', user: 'nobody' }, PLAIN, engine);
    expect(words.filter((word) => /cap-add|security-opt|device|systemd/.test(word))).toEqual([]);
    expect(words).toContain('--user=nobody');
    expect(words.slice(-3)).toEqual(['localhost/x:local', 'sleep', 'infinity']);
  }
});

test('mounts, memory file systems, environment, labels', () => {
  const words = command({
    mounts: [
      { source: '/srv/packages', target: '/packages' },
      { source: '/srv/out', target: '/out', writable: true },
    ],
    tmpfs: [{ path: '/var/lib/kubelet', sizeBytes: 65536 }, { path: '/tmp' }],
    environment: { LANG: 'de_DE.UTF-8' },
    labels: { scenario: 'install' },
  });
  for (const flag of [
    '--mount=type=bind,source=/srv/packages,target=/packages,readonly',
    '--mount=type=bind,source=/srv/out,target=/out',
    '--tmpfs=/var/lib/kubelet:rw,exec,mode=755,size=65536',
    '--tmpfs=/tmp:rw,exec,mode=1777',
    '--env=LANG=de_DE.UTF-8',
    '--label=io.kubeparcel.scenario=install',
  ]) {
    expect(words).toContain(flag);
  }
});

test.each<[string, Partial<StartOptions>]>([
  ['a name that is a flag', { name: '--privileged' }],
  ['a name with a slash', { name: '../x' }],
  ['a mount with a comma', { mounts: [{ source: '/a,writable', target: '/b' }] }],
  ['a mount of a volume', { mounts: [{ source: 'volume', target: '/b' }] }],
  ['a tmpfs with options', { tmpfs: [{ path: '/a:suid' }] }],
  ['a tmpfs of size 0', { tmpfs: [{ path: '/a', sizeBytes: 0 }] }],
  ['a variable name with an equals sign', { environment: { 'A=B': 'c' } }],
  ['the reserved label run', { labels: { run: 'x' } }],
  ['a host name with a space', { hostname: 'a b' }],
])('refuses %s', (_, options) => {
  expect(() => command(options)).toThrow(expect.objectContaining({ name: 'KubeparcelError', kind: 'usage' }));
});
