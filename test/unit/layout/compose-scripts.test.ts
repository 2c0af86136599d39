import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { loadCatalog } from '../../../src/catalog/catalog.ts';
import type { Catalog } from '../../../src/catalog/model.ts';
import { targets } from '../../../src/catalog/targets.ts';
import { RESTARTS } from '../../../src/layout/compose-scripts.ts';
import { loadTemplates, type TemplateSet } from '../../../src/layout/templates.ts';
import type { Format } from '../../../src/model/format.ts';
import type { Layout } from '../../../src/model/layout.ts';
import { composeCase } from '../../support/compose.ts';

let catalog: Catalog;
let templates: TemplateSet;

beforeAll(async () => {
  catalog = await loadCatalog();
  templates = await loadTemplates();
});

function compose(name: string, format: Format, change: Partial<Parameters<typeof composeCase>[0]> = {}): Layout {
  const [target] = targets(catalog, { formats: [format] });
  if (target === undefined) throw new Error(`no target for ${format}`);
  return composeCase({ catalog, templates, target, name, version: '1.36.4', ...change });
}

test.each([
  ['kubelet', 'deb', '1.36.4', ['postinst', 'prerm', 'postrm']],
  ['kubelet', 'rpm', '1.36.4', ['post', 'preun', 'postun', 'posttrans']],
  ['kubeadm', 'deb', '1.36.4', ['preinst', 'postinst', 'postrm']],
  // Its drop-in is in /etc, where no other file overrides it.
  ['kubeadm', 'deb', '1.27.0', ['postinst', 'postrm']],
  ['kubeadm', 'rpm', '1.27.0', ['post', 'postun', 'posttrans']],
  ['cri-tools', 'deb', '1.36.4', ['postinst', 'postrm']],
  ['cri-tools', 'rpm', '1.36.4', ['post', 'postun']],
  ['kubectl', 'deb', '1.36.4', []],
  ['kubernetes-cni', 'rpm', '1.36.4', []],
] as const)('%s as %s of %s has hooks where something is to be done', (name, format, version, scripts) => {
  expect(Object.keys(compose(name, format, { version }).scripts)).toEqual(scripts);
});

test('hooks run with /bin/sh and end with a newline only in a DEB', () => {
  for (const { name } of catalog.packages) {
    for (const format of ['deb', 'rpm'] as const) {
      for (const { interpreter, body } of Object.values(compose(name, format).scripts)) {
        expect(interpreter).toBe('/bin/sh');
        expect(body.endsWith('\n')).toBe(format === 'deb');
      }
    }
  }
});

test.each(RESTARTS)('the hooks of the kubelet contain only restart: %s', (restart) => {
  for (const [format, script] of [
    ['deb', 'postinst'],
    ['rpm', 'posttrans'],
  ] as const) {
    const body = compose('kubelet', format, { restart }).scripts[script]?.body ?? '';
    expect(RESTARTS.filter((each) => body.includes(`restart: ${each} `))).toEqual([restart]);
    expect(/try-restart kubelet/.test(body)).toBe(restart === 'try-restart');
  }
});

const KERNEL = ['/usr/lib/modules-load.d/kubelet.conf', '/usr/lib/sysctl.d/50-kubelet.conf'];

describe.each(['deb', 'rpm'] as const)('kernel settings in a %s', (format) => {
  const paths = ({ entries }: Layout) => entries.map(({ path }) => path).filter((path) => KERNEL.includes(path));

  test('are off by default and can be switched on, and off if the distribution has them on', () => {
    expect(paths(compose('kubelet', format))).toEqual([]);
    expect(paths(compose('kubelet', format, { kernel: true }))).toEqual(KERNEL);
    const [target] = targets(catalog, { formats: [format] });
    if (target === undefined) throw new Error('no target');
    const on = { ...target, distributions: target.distributions.map((each) => ({ ...each, kernel: true })) };
    expect(paths(compose('kubelet', format, { target: on }))).toEqual(KERNEL);
    expect(paths(compose('kubelet', format, { target: on, kernel: false }))).toEqual([]);
  });

  test('that differ between the distributions of a target are rejected', () => {
    const [target] = targets(catalog, { formats: [format] });
    if (target === undefined) throw new Error('no target');
    const some = { ...target, distributions: target.distributions.map((each, i) => ({ ...each, kernel: i === 0 })) };
    expect(() => compose('kubelet', format, { target: some })).toThrow(
      expect.objectContaining({ kind: 'config', message: expect.stringContaining('different values for kernel') }),
    );
  });

  test('are applied only if they are installed', () => {
    const script = ({ deb: 'postinst', rpm: 'post' } as const)[format];
    const applies = (kernel: boolean) =>
      compose('kubelet', format, { kernel }).scripts[script]?.body.includes('systemd-sysctl');
    expect([applies(true), applies(false)]).toEqual([true, false]);
  });
});

test('upgrades remove the drop-ins that our own packages installed in /etc', () => {
  const known = catalog.formerFiles.flatMap(({ sha256 }) => sha256);
  for (const version of ['1.11.0', '1.20.2', '1.27.0']) {
    const entry = compose('kubeadm', 'deb', { version }).entries.find(({ path }) => path.endsWith('10-kubeadm.conf'));
    if (entry?.kind !== 'file' || entry.content.kind !== 'memory') throw new Error('no drop-in');
    expect(entry.path).toBe(catalog.formerFiles[0]?.path);
    expect(known).toContain(createHash('sha256').update(entry.content.bytes).digest('hex'));
  }
});
