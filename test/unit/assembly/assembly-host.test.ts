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

const everything = (_: HostImage) => true;
const madeHere = ({ local }: HostImage) => local !== undefined;

function chosen(wanted: Parameters<typeof targets>[1], codec: Codec, obtainable = everything) {
  const [target] = targets(catalog, wanted);
  if (target === undefined) throw new Error('no such target');
  const { host, reason } = chooseAssemblyHost({ target, compression: { codec, level: 6 } }, catalog, hosts, obtainable);
  return [host.id, reason];
}

test.each([
  ['a DEB for all', { formats: ['deb'] }, 'xz', 'debian-11', 'the first host of deb that writes xz'],
  [
    'a DEB that Debian 11 cannot write',
    { formats: ['deb'] },
    'zstd',
    'debian-12',
    'the first host of deb that writes zstd',
  ],
  ['an RPM for all', { formats: ['rpm'] }, 'zstd', 'dnf-on-debian-12', 'the first host of rpm that writes zstd'],
  ['one distribution', { distributions: ['trixie'] }, 'zstd', 'debian-13', 'the distribution itself'],
  [
    'its stand-in',
    { distributions: ['leap-15.6'] },
    'xz',
    'zypper-on-debian-12',
    /^the first host of opensuse-leap-15.6/,
  ],
  [
    'none of its own',
    { distributions: ['ubuntu-24.04'] },
    'zstd',
    'debian-12',
    /^it stands in for ubuntu-24.04, which/,
  ],
  ['an old one', { distributions: ['amazonlinux-2'] }, 'xz', 'dnf-on-debian-12', /^it stands in for amazonlinux-2/],
] as const)('where images are made here: %s', (_, wanted, codec, id, reason) => {
  const given = wanted as unknown as Parameters<typeof targets>[1];
  expect(chosen(given, codec, madeHere)).toEqual([
    id,
    typeof reason === 'string' ? reason : expect.stringMatching(reason),
  ]);
});

test('where a registry answers, each distribution that has an image is its own host', () => {
  const vendors = hosts.filter(({ vendor }) => vendor !== undefined);
  expect(vendors.length).toBeGreaterThan(10);
  for (const { id } of vendors)
    expect(chosen({ distributions: [id] }, 'gzip')).toEqual([id, 'the distribution itself']);
});

test('no host at all is said', () => {
  expect(() => chosen({ formats: ['rpm'] }, 'zstd', () => false)).toThrow(
    expect.objectContaining({ kind: 'usage', where: 'rpm', message: expect.stringContaining('zstd') }),
  );
});
