import { beforeAll, expect, test } from 'vitest';
import { chooseAssemblyHost } from '../../../src/assembly/assembly-host.ts';
import { loadCatalog } from '../../../src/catalog/catalog.ts';
import type { Catalog } from '../../../src/catalog/model.ts';
import { targets } from '../../../src/catalog/targets.ts';
import { type HostImage, loadHosts } from '../../../src/container/images/hosts.ts';
import type { Codec } from '../../../src/model/compression.ts';

let catalog: Catalog;
let hosts: HostImage[];
beforeAll(async () => {
  catalog = await loadCatalog();
  hosts = await loadHosts(catalog);
});

const all = (_: HostImage) => true;
const builtLocally = ({ local }: HostImage) => local !== undefined;

function choose(selection: Parameters<typeof targets>[1], codec: Codec, isAvailable = all) {
  const [target] = targets(catalog, selection);
  if (target === undefined) throw new Error('no such target');
  const { host, reason } = chooseAssemblyHost(
    { target, compression: { codec, level: 6 } },
    catalog,
    hosts,
    isAvailable,
  );
  return [host.id, reason];
}

test.each([
  ['a DEB for all distributions', { formats: ['deb'] }, 'xz', 'debian-11', 'the first host of deb that supports xz'],
  [
    'a DEB with a codec that Debian 11 lacks',
    { formats: ['deb'] },
    'zstd',
    'debian-12',
    'the first host of deb that supports zstd',
  ],
  [
    'an RPM for all distributions',
    { formats: ['rpm'] },
    'zstd',
    'dnf-on-debian-12',
    'the first host of rpm that supports zstd',
  ],
  ['one distribution', { distributions: ['trixie'] }, 'zstd', 'debian-13', 'the distribution itself'],
  [
    'a distribution with a host on Debian',
    { distributions: ['leap-15.6'] },
    'xz',
    'zypper-on-debian-12',
    /^the first host of opensuse-leap-15.6/,
  ],
  [
    'a distribution without a host',
    { distributions: ['ubuntu-24.04'] },
    'zstd',
    'debian-12',
    /^no host of ubuntu-24.04 is available/,
  ],
  [
    'an old distribution without a host',
    { distributions: ['amazonlinux-2'] },
    'xz',
    'dnf-on-debian-12',
    /^no host of amazonlinux-2 is available/,
  ],
] as const)('without vendor images, chooses a host for %s', (_, selection, codec, id, reason) => {
  const given = selection as unknown as Parameters<typeof targets>[1];
  expect(choose(given, codec, builtLocally)).toEqual([
    id,
    typeof reason === 'string' ? reason : expect.stringMatching(reason),
  ]);
});

test('with vendor images, each distribution is assembled on itself', () => {
  const vendors = hosts.filter(({ vendor }) => vendor !== undefined);
  expect(vendors.length).toBeGreaterThan(10);
  for (const { id } of vendors)
    expect(choose({ distributions: [id] }, 'gzip')).toEqual([id, 'the distribution itself']);
});

test('fails without a host', () => {
  expect(() => choose({ formats: ['rpm'] }, 'zstd', () => false)).toThrow(
    expect.objectContaining({ kind: 'usage', where: 'rpm', message: expect.stringContaining('zstd') }),
  );
});
