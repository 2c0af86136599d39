import { expect, test } from 'vitest';
import { loadCatalog } from '../../../src/catalog/catalog.ts';
import { targets } from '../../../src/catalog/targets.ts';
import { loadTemplates } from '../../../src/layout/templates.ts';
import { composeCase } from '../../support/compose.ts';

const catalog = await loadCatalog();
const templates = await loadTemplates();

test.each(targets(catalog, {}))('kubelet for $id contains kubelet-confgen, or none of its files', (target) => {
  const program = new TextEncoder().encode('program');
  const of = (confgen: Uint8Array | undefined) =>
    composeCase({ catalog, templates, target, name: 'kubelet', version: '1.36.4', confgen });
  const found = of(program).entries.find(({ path }) => path.endsWith('/kubernetes/kubelet-confgen'));
  expect(found).toMatchObject({
    kind: 'file',
    mode: 0o755,
    owner: 'root',
    content: { kind: 'memory', bytes: program },
  });

  const paths = (confgen: Uint8Array | undefined) => of(confgen).entries.map(({ path }) => path);
  expect(paths(program).filter((path) => path.includes('confgen')).length).toBeGreaterThan(3);
  expect(paths(undefined).filter((path) => /confgen|libexec|kubelet\.service\.d/.test(path))).toEqual([]);
  expect(paths(undefined)).toContain('/usr/bin/kubelet');
});
