import { expect, test } from 'vitest';
import { loadCatalog } from '../../../src/catalog/catalog.ts';
import { mirrorOf } from '../../../src/container/images/build-local.ts';
import { enginePackages, loadHosts } from '../../../src/container/images/hosts.ts';
import { imageReference, recipeDigest } from '../../../src/container/images/recipe.ts';

const catalog = await loadCatalog();
const hosts = await loadHosts(catalog);
const hostOf = (id: string) => {
  const host = hosts.find((host) => host.id === id);
  if (host === undefined) throw new Error(`no host ${id}`);
  return host;
};

test('hosts that can be built locally, and hosts with a vendor image', () => {
  expect(hosts.filter(({ local }) => local !== undefined).map(({ id }) => id)).toEqual([
    'debian-11',
    'debian-12',
    'debian-13',
    'dnf-on-debian-12',
    'zypper-on-debian-12',
  ]);
  const vendors = hosts.filter(({ vendor }) => vendor !== undefined).map(({ id }) => id);
  for (const { id, image } of catalog.distributions)
    expect([id, vendors.includes(id)]).toEqual([id, image !== undefined]);
  expect(new Set(hosts.map(({ id }) => id)).size).toBe(hosts.length);
});

test('every dependency of the packages is in every image', () => {
  for (const host of hosts) {
    const names = catalog.distributions.find(({ id }) => id === host.distribution)?.names;
    const needed = catalog.packages
      .flatMap(({ relations }) => relations)
      .flatMap(({ kind, name }) => (kind === 'depends' ? (names?.[name]?.slice(0, 1) ?? []) : []));
    expect(needed.length).toBeGreaterThan(3);
    const local = host.format === 'deb' ? host.local?.packages : host.local?.provides.map((text) => text.split(' ')[0]);
    // Debian's util-linux is essential; iptables-nft provides ebtables on EL and Fedora.
    const present = [
      ...(local ?? host.vendor?.commands.flat() ?? []),
      'util-linux',
      ...(host.manager === 'dnf' ? ['ebtables'] : []),
    ];
    expect(
      needed.filter((name) => !present.includes(name)),
      host.id,
    ).toEqual([]);
  }
});

test('an RPM host provides the package names of its distribution', () => {
  const { provides = [] } = hostOf('dnf-on-debian-12').local ?? {};
  for (const text of ['conntrack-tools = 1.4.7', '/bin/sh', 'libc.so.6()(64bit)', 'libc.so.6(GLIBC_2.34)(64bit)']) {
    expect(provides).toContain(text);
  }
  expect(provides).toEqual([...new Set(provides)].sort());
  expect(hostOf('debian-12').local?.provides).toEqual([]);
});

test('the digest of a recipe changes exactly if its content does', () => {
  const host = hostOf('debian-12');
  const { local } = host;
  if (local === undefined) throw new Error('no recipe');
  const digest = recipeDigest(host, 'local');
  expect(digest).toMatch(/^[0-9a-f]{64}$/);
  const files = Object.fromEntries(Object.entries(local.files).reverse());
  expect(recipeDigest({ ...host, title: 'x', local: { ...local, files } }, 'local')).toBe(digest);
  for (const change of [
    { suite: 'trixie' },
    { packages: [...local.packages, 'jq'] },
    { files: { ...local.files, '/etc/x': '' } },
    { commands: local.commands.slice(1) },
    { provides: ['x'] },
  ]) {
    expect(recipeDigest({ ...host, local: { ...local, ...change } }, 'local')).not.toBe(digest);
  }
  expect(recipeDigest(host, 'vendor')).not.toBe(digest);
  expect(recipeDigest(hostOf('dnf-on-debian-12'), 'vendor')).toBeUndefined();
  expect(imageReference(host, 'local')).toBe('localhost/kubeparcel/debian-12:local');
});

test('engine.yaml lists podman', async () => {
  expect(await enginePackages()).toContain('podman');
});

test.each([
  ['a mirror', 'http://mirror.example.org/debian/|bookworm|main|Debian', 'http://mirror.example.org/debian'],
  [
    'after updates and security',
    'http://a/debian/|bookworm-updates|main|Debian\nhttp://b/debian-security/|bookworm|main|Debian\nhttp://c/debian|trixie|main|Debian',
    'http://c/debian',
  ],
  ['other archives', 'http://a/ubuntu|noble|main|Ubuntu\nhttps://x/node|nodistro|main|. nodistro', undefined],
  ['another component', 'http://a/debian|bookworm|contrib|Debian', undefined],
  ['an unsupported URI scheme', 'cdrom:[x]/|bookworm|main|Debian', undefined],
  ['nothing', '', undefined],
])('finds the mirror in apt’s index: %s', (_, targets, mirror) => {
  expect(mirrorOf(targets)).toBe(mirror);
});
