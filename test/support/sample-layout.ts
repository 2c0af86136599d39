import type { Format } from '../../src/model/format.ts';
import type { Entry, Layout } from '../../src/model/layout.ts';
import { RELATION_KINDS, type Relation, type RelationKind } from '../../src/model/relation.ts';

const DATE = 1_760_000_000;

/** A small, valid package with a config file, a link and a versioned relation, in either format. */
export function sampleLayout(format: Format): Layout {
  const base = { owner: 'root', group: 'root', mtime: DATE, role: 'plain' } as const;
  const directory = (path: string): Entry => ({ ...base, kind: 'directory', path, mode: 0o755 });
  const bytes = (text: string) => ({ kind: 'memory', bytes: new TextEncoder().encode(text) }) as const;
  const files: Entry[] = [
    {
      ...base,
      kind: 'file',
      path: '/etc/default/kubelet',
      mode: 0o644,
      role: 'config',
      content: bytes('KUBELET_EXTRA_ARGS=\n'),
    },
    { ...base, kind: 'file', path: '/usr/bin/kubelet', mode: 0o755, content: bytes('#!/bin/sh\nexit 0\n') },
    { ...base, kind: 'symlink', path: '/usr/bin/kubelet-link', mode: 0o777, target: 'kubelet' },
  ];
  const directories = ['/etc', '/etc/default', '/usr', '/usr/bin'].map(directory);
  const entries = format === 'deb' ? [...directories, ...files] : files;
  return {
    format,
    name: 'kubelet',
    version: { epoch: 0, upstream: '1.36.4', revision: '1' },
    architecture: format === 'deb' ? 'amd64' : 'x86_64',
    summary: 'Kubernetes node agent',
    description: 'Runs pods.\n\nOn every node.',
    license: 'Apache-2.0',
    maintainer: 'Release Team <release@example.org>',
    homepage: 'https://kubernetes.io',
    section: 'admin',
    source: 'kubelet',
    date: DATE,
    relations: relations({
      depends: [{ anyOf: [{ name: 'kubernetes-cni', constraint: { operator: '>=', version: '1.2.0' } }] }],
    }),
    scripts: {},
    changelog: [],
    entries: entries.sort((a, b) => (a.path < b.path ? -1 : 1)),
  };
}

/** Relations with empty lists for missing kinds. */
export function relations(some: Partial<Record<RelationKind, readonly Relation[]>>): Layout['relations'] {
  const none = Object.fromEntries(RELATION_KINDS.map((kind) => [kind, []])) as unknown as Layout['relations'];
  return { ...none, ...some };
}
