/** apt, dnf and zypper with signature checks enabled install, upgrade and verify, and refuse manipulated repositories. */
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { copySync } from 'fs-extra/esm';
import { afterAll, beforeAll, type ExpectStatic, test } from 'vitest';
import type { Container } from '../../src/container/engine.ts';
import type { Format } from '../../src/model/format.ts';
import { signPackages } from '../../src/pipeline/sign.ts';
import { publicKeyPath, type View, viewDirectory } from '../../src/repo/model/repository.ts';
import { addPackages } from '../../src/repo/operations/add.ts';
import { type KeyAlgorithm, newKey } from '../../src/sign/new-key.ts';
import { openSigners } from '../../src/sign/open-keys.ts';
import type { Signer } from '../../src/sign/signer.ts';
import { buildSample, type SamplePackage } from '../support/build-sample.ts';
import { HOSTS, type Machine, machineWith } from './support/machine.ts';
import { type RepoClient, repoClient } from './support/repo-clients.ts';
import { requests, serveDirectory } from './support/repo-server.ts';

const work = mkdtempSync(join(tmpdir(), 'kubeparcel-repo-'));
const MADE = 1_780_000_000;
const DATE = MADE + 86_400;
const NAMES = ['cri-tools', 'kubeadm', 'kubectl', 'kubelet', 'kubernetes-cni'];
/** An old release in which kubeadm depends on the other four packages. */
const FORMER = '1.28.0';
const OLDER = '1.36.3';
const NEWER = '1.36.4';
const NEXT = '1.37.0';

/** Template repositories: SITE has an old minor, the older patch and the next minor; the others are variants of it. */
const SITE = join(work, 'site');
const ED25519 = join(work, 'ed25519');
const UNSIGNED_PACKAGES = join(work, 'unsigned-packages');
const UNTRUSTED = join(work, 'strange');
const KEYS = join(work, 'keys');

let machine: Machine;
let signer: Signer;
const built = new Map<string, readonly SamplePackage[]>();

beforeAll(async () => {
  machine = await machineWith(HOSTS);
  mkdirSync(KEYS);
  const [rsa, edwards, other] = await Promise.all([
    key('rsa', 'rsa4096'),
    key('ed25519', 'ed25519'),
    key('other', 'ed25519'),
  ]);
  signer = rsa;
  for (const version of [FORMER, OLDER, NEWER, NEXT]) {
    const compression = { codec: 'gzip', level: 1 } as const;
    built.set(version, await buildSample(join(work, version), { version: `v${version}`, compression }));
  }
  const options = { channel: 'stable', date: DATE } as const;
  await addPackages(UNSIGNED_PACKAGES, paths('rpm', OLDER, NEXT), { ...options, signers: [rsa] });
  for (const version of built.keys()) await signPackages(paths('rpm', version), rsa, { date: DATE });
  const first = [...paths('deb', OLDER, NEXT), ...paths('rpm', OLDER, NEXT)];
  await addPackages(SITE, first, { ...options, signers: [rsa] });
  const former = [...paths('deb', FORMER), ...paths('rpm', FORMER)];
  await addPackages(SITE, former, { ...options, signers: [rsa] });
  await addPackages(ED25519, paths('deb', NEXT), { ...options, signers: [edwards] });
  await addPackages(UNTRUSTED, first, { ...options, signers: [other] });
});
afterAll(() => rmSync(work, { recursive: true, force: true }));

async function key(name: string, algorithm: KeyAlgorithm): Promise<Signer> {
  const { privateKey, publicKey } = await newKey({
    userId: `${name} <${name}@example.org>`,
    algorithm,
    lifetime: 0,
    passphrase: undefined,
    date: MADE,
  });
  writeFileSync(join(KEYS, `${name}.key`), privateKey, { mode: 0o600 });
  writeFileSync(join(KEYS, `${name}.asc`), publicKey);
  const [signer] = await openSigners([join(KEYS, `${name}.key`)], { environment: {} });
  if (signer === undefined) throw new Error('no signer');
  return signer;
}

function paths(format: Format, ...versions: readonly string[]): string[] {
  return versions.flatMap((version) =>
    (built.get(version) ?? []).filter(({ layout }) => layout.format === format).map(({ path }) => path),
  );
}

/** The five packages of a release, as package managers print them. */
function release(format: Format, version: string): string[] {
  return (built.get(version) ?? [])
    .filter(({ layout }) => layout.format === format)
    .map(({ layout: { name, version } }) => `${name} ${version.upstream}-${version.revision}`)
    .sort();
}

const views = (format: Format): readonly View[] => [
  { channel: 'stable', minor: '1.36', format },
  { channel: 'stable', minor: undefined, format },
];

/** A host that reads copies of the repositories below /srv. */
interface Host {
  /** The expect of the test: with the common one, a concurrent test resets the count of another. */
  readonly expect: ExpectStatic;
  readonly container: Container;
  readonly client: RepoClient;
  /** Puts a copy of a repository there; its name. */
  copy(site: string, change?: (directory: string) => void): string;
  /** Path of a copy on this machine. */
  directory(copy: string): string;
}

/** Address for the package manager: URL, and for apt suite and components. */
function address(base: string, copy: string, view: View): string {
  const url = `${base}/${copy}`;
  if (view.format === 'rpm') return `${url}/${viewDirectory(view)}`;
  return view.minor === undefined ? `${url} ${view.channel} main` : `${url}/${viewDirectory(view)} ./`;
}

/**
 * Changes a bit of a file, without changing its hard links.
 *
 * @param place 0 is the start of the file, 1 the end
 */
function flipByte(file: string, place: number): void {
  const bytes = readFileSync(file);
  const at = Math.floor(bytes.length * place);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  rmSync(file);
  writeFileSync(file, bytes);
}

/** Changes a byte in all files whose path matches; there must be at least one. */
function flipByteInMatching(directory: string, name: RegExp, place = 0.5): void {
  const found = readdirSync(directory, { recursive: true, withFileTypes: true }).filter(
    (entry) => entry.isFile() && name.test(join(entry.parentPath, entry.name)),
  );
  if (found.length === 0) throw new Error(`no ${name} in ${directory}`);
  for (const { parentPath, name } of found) flipByte(join(parentPath, name), place);
}

interface Manipulation {
  readonly what: string;
  readonly change: (directory: string) => void;
  readonly site?: string;
}

const COMMON: readonly Manipulation[] = [
  { what: 'a package', change: (directory) => flipByteInMatching(directory, /\/kubectl[^/]*\.(deb|rpm)$/) },
  { what: 'the key', change: (directory) => flipByteInMatching(directory, /\/(Release|repomd\.xml)\.key$/) },
  { what: 'signatures of an untrusted key', change: () => {}, site: UNTRUSTED },
];
const MANIPULATIONS: Readonly<Record<Format, readonly Manipulation[]>> = {
  deb: [
    ...COMMON,
    {
      what: 'the index of packages',
      change: (directory) => flipByteInMatching(directory, /\/(Packages(\.gz|\.xz)?|SHA256\/[^/]+)$/),
    },
    { what: 'the text of InRelease', change: (directory) => flipByteInMatching(directory, /\/InRelease$/, 0.2) },
    { what: 'the signature of InRelease', change: (directory) => flipByteInMatching(directory, /\/InRelease$/, 0.8) },
    {
      what: 'Release.gpg, without InRelease',
      change: (directory) => {
        flipByteInMatching(directory, /\/Release\.gpg$/);
        remove(directory, 'InRelease');
      },
    },
    {
      what: 'no signature',
      change: (directory) => {
        remove(directory, 'InRelease');
        remove(directory, 'Release.gpg');
      },
    },
  ],
  rpm: [
    ...COMMON,
    { what: 'the index of packages', change: (directory) => flipByteInMatching(directory, /-primary\.xml\.gz$/) },
    { what: 'repomd.xml', change: (directory) => flipByteInMatching(directory, /\/repomd\.xml$/) },
    { what: 'repomd.xml.asc', change: (directory) => flipByteInMatching(directory, /\/repomd\.xml\.asc$/) },
    { what: 'no signature', change: (directory) => remove(directory, 'repomd.xml.asc') },
    { what: 'packages without signatures', change: () => {}, site: UNSIGNED_PACKAGES },
  ],
};

function remove(directory: string, name: string): void {
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    if (entry.name === name) rmSync(join(entry.parentPath, name));
  }
}

/** Starts a host for one test and removes it afterwards. */
async function onHost(
  id: string,
  expect: ExpectStatic,
  run: (host: Host, base: readonly [file: string, http: string]) => Promise<void>,
) {
  const scenarioHost = machine.hosts.find((host) => host.id === id);
  if (scenarioHost === undefined) throw new Error(`no host ${id}`);
  const { image, manager } = scenarioHost;
  const root = join(work, id);
  mkdirSync(root);
  // apt reads as the user _apt.
  chmodSync(root, 0o755);
  copySync(KEYS, join(root, 'keys'), { filter: (path) => !path.endsWith('.key') });
  let copies = 0;
  const name = `kubeparcel-repo-test-${process.pid}-${id}`;
  const mounts = [{ source: root, target: '/srv' }];
  const container = await machine.engine.start({ image, name, init: 'none', mounts });
  try {
    const client = repoClient(container, manager, NAMES);
    const directory = (copy: string) => join(root, copy);
    const copy = (site: string, change = (_: string) => {}) => {
      const name = `copy-${copies++}`;
      copySync(site, directory(name));
      change(directory(name));
      return name;
    };
    await run({ expect, container, client, directory, copy }, ['file:///srv', await serveDirectory(container)]);
  } finally {
    await container.remove();
    rmSync(root, { recursive: true, force: true });
  }
}

const KEY = '/srv/keys/rsa.asc';
/** Messages of package managers about manipulated or unsigned files. */
const REASON = /hash sum mismatch|checksum|digest|not signed|signature|signed file|public key data/i;

async function refusesManipulations({ expect, client, copy }: Host, bases: readonly string[]): Promise<void> {
  const { format } = client;
  for (const [at, view] of views(format).entries()) {
    const base = bases[at] ?? '';
    const kubectl = [`kubectl ${view.minor === undefined ? NEXT : OLDER}-1`];
    for (const { what, change, site = SITE } of MANIPULATIONS[format]) {
      const manipulated = copy(site, change);
      const key = what === 'the key' ? `/srv/${manipulated}/${publicKeyPath(view)}` : KEY;
      const { status, said, text } = await client.install(address(base, manipulated, view), key, kubectl);
      const context = `${what} of ${viewDirectory(view)}\n${text}`;
      expect(await client.installed(), context).toEqual([]);
      expect(status, context).not.toBe(0);
      expect(said, context).toMatch(REASON);
    }
    // The unchanged repository installs with the same configuration.
    const unchanged = copy(SITE);
    const installing = await client.install(
      address(base, unchanged, view),
      `/srv/${unchanged}/${publicKeyPath(view)}`,
      kubectl,
    );
    expect(await client.installed(), installing.text).toEqual(kubectl);
    await client.remove(['kubectl']);
  }
  if (format === 'rpm') return;
  const ed25519 = copy(ED25519);
  const { text } = await client.install(`file:///srv/${ed25519} stable main`, '/srv/keys/ed25519.asc', ['kubectl']);
  expect(await client.installed(), text).toEqual([`kubectl ${NEXT}-1`]);
  await client.remove(['kubectl']);
}

async function installsAndUpgrades(host: Host, bases: readonly string[]): Promise<void> {
  const { expect, container, client, copy, directory } = host;
  const { format } = client;
  for (const base of bases) {
    for (const view of views(format)) {
      const site = copy(SITE);
      const url = address(base, site, view);
      const older = release(format, OLDER);
      const installing = await client.install(url, KEY, older);
      expect(await client.installed(), installing.text).toEqual(older);
      const newer = paths(format, NEWER);
      await addPackages(directory(site), newer, { channel: 'stable', signers: [signer], date: DATE + 60 });
      const upgrading = await client.upgrade();
      const latest = release(format, view.minor === undefined ? NEXT : NEWER);
      expect(await client.installed(), upgrading.text).toEqual(latest);
      const verified = await client.verify();
      expect([verified.status, verified.stdout], verified.text).toEqual([0, '']);
      const removed = await client.remove(NAMES);
      expect(await client.installed(), removed.text).toEqual([]);
    }
  }
  const pointer = format === 'deb' ? /^200 .*InRelease$/ : /^200 .*repomd\.xml\.asc$/;
  const requested = (await requests(container)).filter((line) => pointer.test(line));
  expect(requested.length).toBeGreaterThanOrEqual(4);
}

interface Solution {
  /** Minor of the view; undefined for all minors. */
  readonly minor?: string;
  readonly requested: readonly string[];
  /** Expected packages: release `of`, limited to `only`, with `former` from the old release. */
  readonly of: string;
  readonly only?: readonly string[];
  readonly former?: readonly string[];
}

/** Package managers choose the newest version that a relation allows, whatever else is requested. */
const SOLUTIONS: readonly Solution[] = [
  { minor: '1.28', requested: ['kubeadm'], of: FORMER },
  { requested: NAMES, of: NEXT },
  { requested: ['kubelet'], of: NEXT, only: ['kubelet', 'kubernetes-cni'] },
  { requested: [`kubeadm ${FORMER}-1`], of: NEXT, former: ['kubeadm'] },
  { requested: [`kubeadm ${FORMER}-1`, `kubelet ${FORMER}-1`], of: NEXT, former: ['kubeadm', 'kubelet'] },
];

async function choosesExpectedVersions({ expect, client, copy }: Host, base: string): Promise<void> {
  const { format } = client;
  const site = copy(SITE);
  for (const { minor, requested, of, only = NAMES, former = [] } of SOLUTIONS) {
    await client.use(address(base, site, { channel: 'stable', minor, format }), KEY);
    const chosen = only.map((name) =>
      release(format, former.includes(name) ? FORMER : of).find((each) => each.startsWith(`${name} `)),
    );
    expect(await client.plan(requested), requested.join(', ')).toEqual(chosen);
  }
}

test.concurrent.for(HOSTS)('%s installs, upgrades and verifies, and rejects modified files', async (id, { expect }) => {
  await onHost(id, expect, async (host, bases) => {
    await refusesManipulations(host, bases);
    await choosesExpectedVersions(host, bases[0]);
    await installsAndUpgrades(host, bases);
  });
});
