import { createHash } from 'node:crypto';
import { beforeAll, expect, test } from 'vitest';
import { loadCatalog } from '../../../src/catalog/catalog.ts';
import type { Catalog } from '../../../src/catalog/model.ts';
import { validateLayout } from '../../../src/layout/validate.ts';
import type { Layout } from '../../../src/model/layout.ts';
import {
  lastLegacyMinor,
  loadOfficialLayouts,
  type OfficialLayouts,
  officialLayouts,
} from '../../../src/scenario/sets/official-layout.ts';
import { composeSample } from '../../support/build-sample.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

let catalog: Catalog;
let layouts: OfficialLayouts;
beforeAll(async () => {
  catalog = await loadCatalog();
  layouts = await loadOfficialLayouts(catalog);
});

async function official(version: string): Promise<(name: string) => Layout> {
  const { jobs } = await composeSample(temporaryDirectory(), { version });
  const made = officialLayouts(jobs, layouts, version);
  for (const { layout } of made) validateLayout(layout);
  return (name) => {
    const [format, packageName] = name.split(' ');
    const found = made.find(({ layout }) => layout.format === format && layout.name === packageName);
    if (found === undefined) throw new Error(`no ${name}`);
    return found.layout;
  };
}

function paths(layout: Layout): string[] {
  return layout.entries
    .map(({ path }) => path)
    .filter((path) => /kubelet|kubeadm/.test(path) && !path.includes('/doc/'));
}

test('until 1.27, the DEB has a known drop-in as a conffile in /etc, and the unit in /lib', async () => {
  expect(lastLegacyMinor(layouts)).toBe('1.27');
  const of = await official('1.27.0');
  const kubeadm = of('deb kubeadm');
  const dropIn = kubeadm.entries.find(({ path }) => path === '/etc/systemd/system/kubelet.service.d/10-kubeadm.conf');
  expect(dropIn).toMatchObject({ role: 'config', mode: 0o644 });
  const bytes = dropIn?.kind === 'file' && dropIn.content.kind === 'memory' ? dropIn.content.bytes : new Uint8Array();
  const known = catalog.formerFiles.flatMap(({ sha256 }) => sha256);
  expect(known).toContain(createHash('sha256').update(bytes).digest('hex'));
  expect(paths(of('deb kubelet'))).toEqual([
    '/lib/systemd/system/kubelet.service',
    '/usr/bin/kubelet',
    '/var/lib/kubelet',
  ]);
  expect(Object.keys(of('deb kubelet').scripts).sort()).toEqual(['postinst', 'postrm', 'prerm']);
  expect(kubeadm.scripts).toEqual({});
  expect(of('deb kubelet').version).toEqual({ epoch: 0, upstream: '1.27.0', revision: '00' });
  expect(of('rpm kubelet').scripts).toEqual({});
});

test('since 1.28, the drop-in is in /usr/lib, next to files that keep directories', async () => {
  const of = await official('1.36.3');
  expect(paths(of('deb kubelet'))).toEqual([
    '/etc/default/kubelet',
    '/etc/kubernetes/manifests/.kubelet-keep',
    '/usr/bin/kubelet',
    '/usr/lib/systemd/system/kubelet.service',
    '/var/lib/kubelet',
    '/var/lib/kubelet/.kubelet-keep',
  ]);
  expect(paths(of('rpm kubeadm'))).toContain('/usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf');
  expect(Object.keys(of('rpm kubelet').scripts)).toEqual(['post', 'preun']);
  expect(of('rpm kubelet').version.revision).toBe('150500.1.1');
});
