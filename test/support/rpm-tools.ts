import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import type { Layout } from '../../src/model/layout.ts';
import { relations, sampleLayout } from './sample-layout.ts';

/** Runs a program of rpm without the settings, keys and databases of this machine. @returns its output */
export function run(directory: string, tool: string, ...args: string[]): string {
  return execFileSync(tool, args, {
    cwd: directory,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, LC_ALL: 'C.UTF-8', TZ: 'UTC', HOME: directory, SOURCE_DATE_EPOCH: '1760000000' },
  });
}

/** Queries a package file with `rpm -qp`. @returns the lines of the output */
export function query(path: string, ...args: string[]): string[] {
  const directory = join(path, '..');
  return run(directory, 'rpm', '--dbpath', join(directory, 'db'), '-qp', ...args, path)
    .split('\n')
    .slice(0, -1);
}

const bytes = (text: string) => ({ kind: 'memory', bytes: new TextEncoder().encode(text) }) as const;

/** A package with every feature of an RPM. */
export function fullLayout(): Layout {
  const sample = sampleLayout('rpm');
  const base = { owner: 'root', group: 'root', mtime: sample.date - 3600, role: 'plain' } as const;
  const any = (name: string) => ({ anyOf: [{ name }] });
  const compared = (name: string, operator: '<<' | '<=' | '=' | '>=' | '>>', version: string) => ({
    anyOf: [{ name, constraint: { operator, version } }],
  });
  return {
    ...sample,
    name: 'sample',
    version: { epoch: 2, upstream: '1.37.0~rc.1', revision: '3' },
    section: 'System Environment/Base',
    source: 'samples',
    summary: 'Tests – with umlauts: ä',
    relations: relations({
      preDepends: [any('/usr/sbin/useradd'), compared('shadow-utils', '>=', '2:4.6')],
      depends: [
        any('iptables'),
        compared('util-linux', '>>', '2.30'),
        { anyOf: [{ name: 'conntrack' }, { name: 'conntrack-tools', constraint: { operator: '>=', version: '1.4' } }] },
        any('(socat if podman)'),
      ],
      recommends: [compared('cri-tools', '<<', '2')],
      suggests: [any('containerd')],
      enhances: [any('podman')],
      supplements: [compared('kubeadm', '=', '1.37.0~rc.1-3')],
      conflicts: [compared('docker', '<=', '1:20')],
      replaces: [compared('old-sample', '<<', '1')],
      provides: [compared('virtual', '=', '1.37'), any('plain-virtual')],
    }),
    scripts: {
      pre: { interpreter: '/bin/sh', body: 'exit 0' },
      post: { interpreter: '/bin/sh -e', body: 'echo "post: $1"\necho 100%' },
      postun: { interpreter: '/sbin/ldconfig', body: '' },
      posttrans: { interpreter: '<lua>', body: 'print("done")' },
    },
    changelog: [
      {
        version: '2:1.37.0~rc.1-3',
        date: 1_759_881_600 + 43_200,
        author: 'Release Team <release@example.org>',
        changes: ['one', 'two: 100%'],
      },
      { version: '2:1.36.0-1', date: 1_750_032_000 + 43_200, author: 'A. Person <a@example.org>', changes: ['older'] },
    ],
    entries: [
      { ...base, kind: 'directory', path: '/etc/sample', mode: 0o750 },
      { ...base, kind: 'file', path: '/etc/sample/config', mode: 0o640, role: 'config', content: bytes('a=1\n') },
      { ...base, kind: 'file', path: '/etc/sample/state', mode: 0o600, role: 'ghost', content: bytes('') },
      { ...base, kind: 'file', path: '/usr/bin/sample', mode: 0o4755, content: bytes('#!/bin/sh\nexit 0\n') },
      { ...base, kind: 'symlink', path: '/usr/bin/sample-link', mode: 0o777, target: 'sample' },
      { ...base, kind: 'file', path: '/usr/lib/sample-2', mode: 0o644, content: bytes('x'.repeat(4097)) },
      { ...base, kind: 'file', path: '/usr/lib/sample/a b', mode: 0o644, content: bytes('') },
      { ...base, kind: 'file', path: '/usr/lib/sample/é', mode: 0o644, content: bytes('utf-8') },
      { ...base, kind: 'file', path: '/usr/share/doc/sample/README', mode: 0o644, role: 'doc', content: bytes('doc') },
      {
        ...base,
        kind: 'file',
        path: '/usr/share/licenses/sample/LICENSE',
        mode: 0o644,
        role: 'license',
        content: bytes('l'),
      },
      { ...base, kind: 'directory', path: '/var/lib/sample', mode: 0o1777 },
    ],
  };
}
