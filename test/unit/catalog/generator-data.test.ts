import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { copy } from 'fs-extra/esm';
import { expect, test } from 'vitest';
import { loadCatalog } from '../../../src/catalog/catalog.ts';
import { generatorData } from '../../../src/catalog/generator-data.ts';
import { topicAt } from '../../../src/confgen/model/data.ts';
import { packageRoot } from '../../../src/support/package-root.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

test('has a value of every topic for every minor, and the kubelet version', async () => {
  const catalog = await loadCatalog();
  const data = generatorData(catalog, '1.36.4');
  expect(data).toMatchObject({ kubeletVersion: '1.36.4', oldest: '1.11', newest: '1.37' });
  for (const { minor } of catalog.minors) {
    for (const [topic, ranges] of Object.entries(data.kubelet)) {
      expect(topicAt<unknown>(ranges, `${minor}.0`), `${topic} of ${minor}`).not.toBeUndefined();
    }
  }
});

test.each([
  ['1.29.15', 'flags', true, 'none', 'supported'],
  ['1.30.0', 'config-dir', true, 'none', 'supported'],
  ['1.23.17', 'flags', false, 'remote', 'supported'],
  ['1.18.20', 'flags', false, 'remote', 'unsupported'],
])('has the values of Kubernetes %s', async (version, settings, withoutDockershim, runtimeFlag, cgroupV2) => {
  const { kubelet } = generatorData(await loadCatalog(), undefined);
  expect(topicAt(kubelet.settings, version)).toBe(settings);
  expect(topicAt(kubelet.dockershim, version)).toBe(!withoutDockershim);
  expect(topicAt(kubelet.containerRuntimeFlag, version)).toBe(runtimeFlag);
  expect(topicAt(kubelet.cgroupV2, version)).toBe(cgroupV2);
});

test.each([
  {
    what: 'a gap',
    before: '- { since: "1.30", value: config-dir }',
    after: '- { since: "1.31", value: config-dir }',
    says: /gap: no range covers 1\.30 up to 1\.31/,
  },
  {
    what: 'an overlap',
    before: '- { since: "1.30", value: config-dir }',
    after: '- { since: "1.29", value: config-dir }',
    says: /overlap: two ranges cover 1\.29 up to 1\.30/,
  },
  {
    what: 'an unknown value',
    before: '- { since: "1.30", value: config-dir }',
    after: '- { since: "1.30", value: config-file }',
    says: /config-dir/,
  },
  {
    what: 'a duplicate flag',
    before: '{ flag: containerized, since: "1.16"',
    after: '{ flag: allow-privileged, since: "1.16"',
    says: /--allow-privileged is listed twice/,
  },
  {
    what: 'a flag that an unknown version removes',
    before: '{ flag: containerized, since: "1.16"',
    after: '{ flag: containerized, since: "1.61"',
    says: /1\.61 is not between 1\.11 and 1\.37/,
  },
])('rejects $what', async ({ before, after, says }) => {
  const directory = temporaryDirectory();
  await copy(join(packageRoot(), 'packaging'), directory);
  const file = join(directory, 'versions.yaml');
  const text = await readFile(file, 'utf8');
  expect(text).toContain(before);
  await writeFile(file, text.replace(before, after));
  await expect(loadCatalog(directory)).rejects.toMatchObject({
    kind: 'config',
    message: expect.stringMatching(says),
    where: expect.stringMatching(/versions\.yaml:\d+/),
  });
});
