import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { copy } from 'fs-extra/esm';
import { beforeAll, describe, expect, test } from 'vitest';
import { loadCatalog } from '../../../src/catalog/catalog.ts';
import type { Catalog } from '../../../src/catalog/model.ts';
import { type Target, targets } from '../../../src/catalog/targets.ts';
import { loadTemplates, type TemplateSet } from '../../../src/layout/templates.ts';
import { validateLayout } from '../../../src/layout/validate.ts';
import { ARCHITECTURES } from '../../../src/model/architecture.ts';
import type { Format } from '../../../src/model/format.ts';
import type { Entry, Layout } from '../../../src/model/layout.ts';
import { packageRoot } from '../../../src/support/package-root.ts';
import { composeCase, payloadFile, relationsOf } from '../../support/compose.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

let catalog: Catalog;
let templates: TemplateSet;

beforeAll(async () => {
  catalog = await loadCatalog();
  templates = await loadTemplates();
});

function family(format: Format, of: Catalog = catalog): Target {
  const [target] = targets(of, { formats: [format] });
  if (target === undefined) throw new Error(`no target for ${format}`);
  return target;
}

function compose(name: string, format: Format, version: string): Layout {
  return composeCase({ catalog, templates, target: family(format), name, version });
}

function entryOf(layout: Layout, path: string): Entry {
  const entry = layout.entries.find((each) => each.path === path);
  if (entry === undefined) throw new Error(`${layout.name} has no ${path}, but ${pathsOf(layout).join(' ')}`);
  return entry;
}

function bytesOf(layout: Layout, path: string): Uint8Array {
  const entry = entryOf(layout, path);
  if (entry.kind !== 'file' || entry.content.kind !== 'memory') throw new Error(`${path} is not made of a template`);
  return entry.content.bytes;
}

function textOf(layout: Layout, path: string): string {
  return new TextDecoder().decode(bytesOf(layout, path));
}

function pathsOf(layout: Layout): string[] {
  return layout.entries.map(({ path }) => path);
}

const VERSIONS = [
  '1.11.0',
  '1.13.0',
  '1.20.2',
  '1.24.0',
  '1.24.5',
  '1.28.0',
  '1.30.0',
  '1.32.0',
  '1.36.4',
  '1.37.0-rc.1',
];
const cases = VERSIONS.flatMap((version) => (['deb', 'rpm'] as const).map((format) => ({ version, format })));

describe.each(cases)('Kubernetes $version as $format', ({ version, format }) => {
  const minor = Number(version.split('.')[1]);
  const environment = format === 'deb' ? '/etc/default/kubelet' : '/etc/sysconfig/kubelet';
  const dropIns = format === 'deb' && minor < 28 ? '/etc/systemd/system' : '/usr/lib/systemd/system';

  test('the drop-in uses the env file of the format and the path of the release', () => {
    const layout = compose('kubeadm', format, version);
    const path = `${dropIns}/kubelet.service.d/10-kubeadm.conf`;
    expect(pathsOf(layout).filter((each) => each.endsWith('10-kubeadm.conf'))).toEqual([path]);
    expect(entryOf(layout, path)).toMatchObject({
      mode: 0o644,
      owner: 'root',
      group: 'root',
      role: path.startsWith('/etc') ? 'config' : 'plain',
    });
    expect(textOf(layout, path)).toBe(
      `# Note: This dropin only works with kubeadm and kubelet v1.11+
[Service]
Environment="KUBELET_KUBECONFIG_ARGS=--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf --kubeconfig=/etc/kubernetes/kubelet.conf"
Environment="KUBELET_CONFIG_ARGS=--config=/var/lib/kubelet/config.yaml"
# This is a file that "kubeadm init" and "kubeadm join" generates at runtime, populating the KUBELET_KUBEADM_ARGS variable dynamically
EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env
# This is a file that the user can use for overrides of the kubelet args as a last resort. Preferably, the user should use
# the .NodeRegistration.KubeletExtraArgs object in the configuration files instead. KUBELET_EXTRA_ARGS should be sourced from this file.
EnvironmentFile=-${environment}
ExecStart=
ExecStart=/usr/bin/kubelet $KUBELET_KUBECONFIG_ARGS $KUBELET_CONFIG_ARGS $KUBELET_KUBEADM_ARGS $KUBELET_EXTRA_ARGS
`,
    );
  });

  test('the kubelet contains its unit, its env file as configuration file, and its directories', () => {
    const layout = compose('kubelet', format, version);
    expect(textOf(layout, environment)).toBe('KUBELET_EXTRA_ARGS=\n');
    expect(entryOf(layout, environment)).toMatchObject({ role: 'config', mode: 0o644, owner: 'root', group: 'root' });
    expect(textOf(layout, '/usr/lib/systemd/system/kubelet.service')).toContain(
      'ExecStart=/usr/bin/kubelet\nRestart=always\nStartLimitInterval=0\nRestartSec=10\n',
    );
    expect(entryOf(layout, '/usr/bin/kubelet')).toMatchObject({ mode: 0o755, role: 'plain', mtime: layout.date });
    for (const directory of ['/etc/kubernetes', '/etc/kubernetes/manifests', '/var/lib/kubelet']) {
      expect(entryOf(layout, directory)).toMatchObject({
        kind: 'directory',
        mode: 0o755,
        owner: 'root',
        group: 'root',
      });
    }
    expect(pathsOf(layout)).not.toContain(format === 'deb' ? '/etc/sysconfig/kubelet' : '/etc/default/kubelet');
  });

  test('every package has a valid layout', () => {
    for (const { name } of catalog.packages) {
      const layout = compose(name, format, version);
      validateLayout(layout);
      expect(layout.entries.every(({ mtime }) => mtime === layout.date)).toBe(true);
    }
  });
});

describe('relations', () => {
  const tools = {
    deb: { conntrack: 'conntrack', iproute: 'iproute2' },
    rpm: { conntrack: 'conntrack-tools', iproute: 'iproute | iproute2' },
  };
  const always = { deb: ['iptables (>= 1.4.21)', 'util-linux', 'mount'], rpm: ['iptables (>= 1.4.21)', 'util-linux'] };

  test.each([
    ['1.11.0', '>= 0.6.0', ['ebtables', 'ethtool', 'iproute', 'socat']],
    ['1.13.0', '>= 0.6.0', ['ebtables', 'ethtool', 'iproute', 'socat']],
    ['1.20.2', '>= 0.8.7', ['conntrack', 'ebtables', 'ethtool', 'iproute', 'socat']],
    ['1.24.0', '>= 0.8.7', ['conntrack', 'ebtables', 'ethtool', 'iproute', 'socat']],
    ['1.24.5', '>= 1.1.1', ['conntrack', 'ebtables', 'ethtool', 'iproute', 'socat']],
    ['1.25.0', '>= 0.8.7', ['conntrack', 'ebtables', 'ethtool', 'iproute', 'socat']],
    ['1.25.1', '>= 1.1.1', ['conntrack', 'ebtables', 'ethtool', 'iproute', 'socat']],
    ['1.28.0', '>= 1.2.0', ['conntrack', 'ebtables', 'ethtool', 'iproute', 'socat']],
    ['1.30.0', '>= 1.2.0', ['conntrack', 'ebtables', 'ethtool', 'iproute', 'socat']],
    ['1.32.0', '>= 1.2.0', ['conntrack', 'ethtool', 'iproute']],
    ['1.34.9', '>= 1.2.0', ['conntrack', 'ethtool', 'iproute']],
    ['1.36.4', '>= 1.2.0', []],
    ['1.37.0-rc.1', '>= 1.2.0', []],
  ])('of kubelet %s: kubernetes-cni %s and %j', (version, cni, names) => {
    for (const format of ['deb', 'rpm'] as const) {
      const spelling: Readonly<Record<string, string>> = tools[format];
      expect(relationsOf(compose('kubelet', format, version))).toEqual([
        ...always[format],
        `kubernetes-cni (${cni})`,
        ...names.map((name) => spelling[name] ?? name),
      ]);
    }
  });

  test.each([
    ['1.11.0', ['kubelet (>= 1.6.0)', 'kubectl (>= 1.6.0)', 'kubernetes-cni (>= 0.6.0)', 'cri-tools (>= 1.11.0)']],
    ['1.20.2', ['kubelet (>= 1.13.0)', 'kubectl (>= 1.13.0)', 'kubernetes-cni (>= 0.8.7)', 'cri-tools (>= 1.13.0)']],
    ['1.24.0', ['kubelet (>= 1.19.0)', 'kubectl (>= 1.19.0)', 'kubernetes-cni (>= 0.8.7)', 'cri-tools (>= 1.23.0)']],
    ['1.24.2', ['kubelet (>= 1.19.0)', 'kubectl (>= 1.19.0)', 'kubernetes-cni (>= 0.8.7)', 'cri-tools (>= 1.24.2)']],
    ['1.24.5', ['kubelet (>= 1.19.0)', 'kubectl (>= 1.19.0)', 'kubernetes-cni (>= 1.1.1)', 'cri-tools (>= 1.25.0)']],
    ['1.29.0', ['kubelet (>= 1.19.0)', 'kubectl (>= 1.19.0)', 'kubernetes-cni (>= 1.2.0)', 'cri-tools (>= 1.28.0)']],
    ['1.30.0', ['cri-tools (>= 1.30.0)']],
    ['1.31.9', ['cri-tools (>= 1.30.0)']],
    ['1.32.0', []],
    ['1.36.4', []],
    ['1.37.0-rc.1', []],
  ])('of kubeadm %s: %j', (version, relations) => {
    expect(relationsOf(compose('kubeadm', 'deb', version))).toEqual(relations);
    expect(relationsOf(compose('kubeadm', 'rpm', version))).toEqual(relations);
  });

  test('kubernetes-cni may overwrite other builds of the plugins in a DEB, and obsoletes nothing in an RPM', () => {
    expect(relationsOf(compose('kubernetes-cni', 'deb', '1.36.4'), 'replaces')).toEqual([
      'containernetworking-plugins',
    ]);
    const rpm = compose('kubernetes-cni', 'rpm', '1.36.4');
    expect(Object.values(rpm.relations).flat()).toEqual([]);
  });

  test.each(['1.11.0', '1.36.4'])('kubectl and cri-tools of %s have no relations', (version) => {
    for (const name of ['kubectl', 'cri-tools']) {
      expect(Object.values(compose(name, 'deb', version).relations).flat()).toEqual([]);
      expect(Object.values(compose(name, 'rpm', version).relations).flat()).toEqual([]);
    }
  });
});

describe('one changed line of package data', () => {
  async function changed(file: string, before: string, after: string): Promise<Catalog> {
    const directory = temporaryDirectory();
    for (const name of ['packages', 'distributions', 'versions.yaml', 'former-files.yaml']) {
      await copy(join(packageRoot(), 'packaging', name), join(directory, name));
    }
    const text = await readFile(join(directory, file), 'utf8');
    expect(text).toContain(before);
    await writeFile(join(directory, file), text.replace(before, after));
    return loadCatalog(directory);
  }

  test('renames a dependency for a distribution, which gives an alternative in the package for the family', async () => {
    const edited = await changed('distributions/fedora.yaml', 'socat: socat', 'socat: socat-ng');
    const layoutFor = (target: Target | undefined) => {
      if (target === undefined) throw new Error('no such target');
      return relationsOf(composeCase({ catalog: edited, templates, target, name: 'kubelet', version: '1.30.0' }));
    };
    expect(layoutFor(targets(edited, { distributions: ['fedora-43'] })[0])).toContain('socat-ng');
    expect(layoutFor(targets(edited, { distributions: ['el-9'] })[0])).toContain('socat');
    expect(layoutFor(family('rpm', edited))).toContain('socat | socat-ng');
    expect(layoutFor(family('deb', edited))).toContain('socat');
  });

  test('a dependency that some distributions lack is only recommended in the package for the family', async () => {
    const edited = await changed('distributions/sles.yaml', 'socat: socat', 'socat: []');
    const target = family('rpm', edited);
    const layout = composeCase({ catalog: edited, templates, target, name: 'kubelet', version: '1.30.0' });
    expect(relationsOf(layout)).not.toContain('socat');
    expect(relationsOf(layout, 'recommends')).toEqual(['socat']);
  });

  test('a path that differs between distributions is rejected in the package for the family', async () => {
    const edited = await changed(
      'distributions/fedora.yaml',
      'environment: /etc/sysconfig',
      'environment: /etc/default',
    );
    expect(() =>
      composeCase({ catalog: edited, templates, target: family('rpm', edited), name: 'kubelet', version: '1.30.0' }),
    ).toThrow(expect.objectContaining({ kind: 'config', message: expect.stringContaining('environment') }));
  });

  test('a system directory of the distribution is rejected', async () => {
    const edited = await changed(
      'packages/kubelet.yaml',
      '- { directory: /var/lib/kubelet }',
      '- { directory: /var/lib }',
    );
    expect(() =>
      composeCase({ catalog: edited, templates, target: family('rpm', edited), name: 'kubelet', version: '1.30.0' }),
    ).toThrow(expect.objectContaining({ kind: 'config', message: expect.stringContaining('/var/lib') }));
  });
});

describe('versions', () => {
  test.each([
    ['kubelet', '1.36.4', '1.36.4'],
    ['kubelet', '1.37.0-rc.1', '1.37.0~rc.1'],
    ['kubelet', '1.37.0-alpha.3.12+4f6ab21c', '1.37.0~alpha.3.12+4f6ab21c'],
    ['cri-tools', '1.36.4', '1.36.0'],
    ['kubernetes-cni', '1.36.4', '1.9.1'],
    ['kubernetes-cni', '1.11.0', '0.6.0'],
  ])('%s of Kubernetes %s is %s', (name, version, upstream) => {
    for (const format of ['deb', 'rpm'] as const) {
      expect(compose(name, format, version).version).toEqual({ epoch: 0, upstream, revision: '1' });
    }
  });

  test.each([
    ['debian-12', '1~debian12'],
    ['ubuntu-24.04', '1~ubuntu24.04'],
    ['el-9', '1.el9'],
    ['fedora-43', '1.fc43'],
    ['amazonlinux-2023', '1.amzn2023'],
  ])('the revision for %s alone is %s', (distribution, revision) => {
    const [target] = targets(catalog, { distributions: [distribution] });
    if (target === undefined) throw new Error('no target');
    const layout = composeCase({ catalog, templates, target, name: 'kubectl', version: '1.36.4' });
    expect(layout.version.revision).toBe(revision);
    expect(layout.changelog[0]?.version).toBe(`1.36.4-${revision}`);
  });
});

test('all targets and architectures compose, with the names of their format', () => {
  const all = [
    ...targets(catalog, {}),
    ...targets(catalog, { distributions: catalog.distributions.map(({ id }) => id) }),
  ];
  expect(all.length).toBe(catalog.distributions.length + 2);
  for (const target of all) {
    for (const architecture of ARCHITECTURES) {
      for (const { name } of catalog.packages) {
        const layout = composeCase({ catalog, templates, target, name, version: '1.30.0', architecture });
        validateLayout(layout);
        expect(layout.format).toBe(target.format);
        if (architecture === 'ppc64le')
          expect(layout.architecture).toBe(target.format === 'deb' ? 'ppc64el' : 'ppc64le');
      }
    }
  }
});

describe('directories and documents', () => {
  test('a DEB lists every parent directory, has copyright and changelog, and no other license text', () => {
    const layout = compose('kubernetes-cni', 'deb', '1.36.4');
    expect(pathsOf(layout)).toEqual([
      '/etc',
      '/etc/cni',
      '/etc/cni/net.d',
      '/opt',
      '/opt/cni',
      '/opt/cni/bin',
      '/opt/cni/bin/bridge',
      '/opt/cni/bin/loopback',
      '/usr',
      '/usr/share',
      '/usr/share/doc',
      '/usr/share/doc/kubernetes-cni',
      '/usr/share/doc/kubernetes-cni/README.md',
      '/usr/share/doc/kubernetes-cni/changelog.Debian.gz',
      '/usr/share/doc/kubernetes-cni/copyright',
    ]);
    expect(layout.multiArch).toBe('foreign');
    expect(entryOf(layout, '/opt/cni/bin/bridge').mode).toBe(0o755);
    expect(entryOf(layout, '/usr/share/doc/kubernetes-cni/README.md')).toMatchObject({ mode: 0o644, role: 'doc' });
    expect(entryOf(layout, '/usr/share/doc/kubernetes-cni/copyright').role).toBe('license');
  });

  test('an RPM contains only its own directories and the license of the payload', () => {
    const layout = compose('kubernetes-cni', 'rpm', '1.36.4');
    expect(pathsOf(layout)).toEqual([
      '/etc/cni',
      '/etc/cni/net.d',
      '/opt/cni',
      '/opt/cni/bin',
      '/opt/cni/bin/bridge',
      '/opt/cni/bin/loopback',
      '/usr/share/doc/kubernetes-cni',
      '/usr/share/doc/kubernetes-cni/README.md',
      '/usr/share/licenses/kubernetes-cni',
      '/usr/share/licenses/kubernetes-cni/LICENSE',
    ]);
    expect(layout.multiArch).toBeUndefined();
    expect(entryOf(layout, '/usr/share/licenses/kubernetes-cni/LICENSE')).toMatchObject({
      role: 'license',
      content: { kind: 'stored' },
    });
  });

  test('an RPM whose payload has no license file contains the text of its license', () => {
    const layout = compose('kubelet', 'rpm', '1.36.4');
    expect(textOf(layout, '/usr/share/licenses/kubelet/LICENSE')).toContain('Apache License');
  });

  test('old plugins, which contain no documents, are accepted', () => {
    const [target] = targets(catalog, { formats: ['rpm'] });
    if (target === undefined) throw new Error('no target');
    const files = { 'cni-plugins': [payloadFile('bridge')] };
    const layout = composeCase({ catalog, templates, target, name: 'kubernetes-cni', version: '1.11.0', files });
    expect(pathsOf(layout)).not.toContain('/usr/share/doc/kubernetes-cni');
    expect(textOf(layout, '/usr/share/licenses/kubernetes-cni/LICENSE')).toContain('Apache License');
  });

  test('the changelog of a DEB has the format of deb-changelog(5)', () => {
    const layout = compose('kubelet', 'deb', '1.37.0-rc.1');
    const packed = bytesOf(layout, '/usr/share/doc/kubelet/changelog.Debian.gz');
    expect(gunzipSync(packed).toString()).toBe(`kubelet (1.37.0~rc.1-1) stable; urgency=medium

  * New release: kubernetes 1.37.0-rc.1
  * Changes: https://git.k8s.io/kubernetes/CHANGELOG/CHANGELOG-1.37.md

 -- Example <packages@example.org>  Wed, 26 Aug 2026 00:00:00 +0000
`);
  });

  test('the copyright file is machine-readable', () => {
    const text = textOf(compose('cri-tools', 'deb', '1.36.4'), '/usr/share/doc/cri-tools/copyright');
    expect(text).toMatch(/^Format: https:\/\/www\.debian\.org\/doc\/packaging-manuals\/copyright-format\/1\.0\/\n/);
    expect(text).toContain('\nUpstream-Name: cri-tools\nSource: https://github.com/kubernetes-sigs/cri-tools\n');
    expect(text).toContain('\nCopyright: 2017 The Kubernetes Authors\nLicense: Apache-2.0\n');
    expect(text).toContain('/usr/share/common-licenses/Apache-2.0');
  });
});

describe('fails for', () => {
  test('a package that is not in the catalog', () => {
    expect(() => compose('kube-proxy', 'deb', '1.36.4')).toThrow(
      expect.objectContaining({ kind: 'usage', hint: expect.stringContaining('kubelet') }),
    );
  });

  test('a file that is not in the payload', () => {
    const target = family('deb');
    const files = { kubelet: [payloadFile('kubelet.exe')] };
    expect(() => composeCase({ catalog, templates, target, name: 'kubelet', version: '1.36.4', files })).toThrow(
      expect.objectContaining({ kind: 'format', message: 'the payload of kubelet contains no kubelet' }),
    );
    const none = { 'cni-plugins': [payloadFile('LICENSE', { executable: false })] };
    expect(() =>
      composeCase({ catalog, templates, target, name: 'kubernetes-cni', version: '1.36.4', files: none }),
    ).toThrow(expect.objectContaining({ kind: 'format', message: expect.stringContaining('no executables') }));
  });
});
