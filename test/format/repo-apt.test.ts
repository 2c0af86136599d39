import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { copySync } from 'fs-extra/esm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseControl } from '../../src/deb/control-file.ts';
import { addPackages } from '../../src/repo/operations/add.ts';
import { indexRepository } from '../../src/repo/operations/reindex.ts';
import { verifyRepository } from '../../src/repo/verify/verify.ts';
import { openSigners } from '../../src/sign/open-keys.ts';
import type { Signer } from '../../src/sign/signer.ts';
import { aptClient } from '../support/apt-client.ts';
import { directoryOfFile } from '../support/cli.ts';
import { everyDebLayout } from '../support/every-layout.ts';
import { smallLayout, writeReleases, writeSmall } from '../support/repo-packages.ts';
import { makeKey, type TestKey } from '../support/signing.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { hasTool } from '../support/tools.ts';

const directory = directoryOfFile();
const built = join(directory, 'built');
const repository = join(directory, 'site');
let key: TestKey;
let signers: Signer[];

beforeAll(async () => {
  key = await makeKey(directory, 'packages', { type: 'rsa' });
  signers = await openSigners([key.secret]);
  const paths = await writeReleases(built, ['1.36.4', '1.37.0'], ['kubeadm', 'kubelet'], ['amd64', 'arm64']);
  paths.push(
    await writeSmall(smallLayout({ format: 'deb', name: 'keyring', version: '1', architecture: 'all' }), built),
  );
  paths.push(await writeSmall(everyDebLayout(), built));
  await addPackages(repository, paths, { channel: 'stable', signers });
});
afterAll(() => rmSync(built, { recursive: true, force: true }));

/** Stanzas by package, version and architecture, each a map of its fields in lower case. */
function stanzas(text: string): Map<string, Map<string, string>> {
  const found = new Map<string, Map<string, string>>();
  for (const stanza of text.split('\n\n').filter((each) => each.trim() !== '')) {
    const fields = new Map(parseControl(stanza).map(([name, value]) => [name.toLowerCase(), value]));
    found.set(['package', 'version', 'architecture'].map((name) => fields.get(name)).join(' '), fields);
  }
  return found;
}

describe.skipIf(!hasTool('apt-ftparchive'))('apt-ftparchive', () => {
  test('writes the same fields as our Packages', () => {
    const debs = join(temporaryDirectory(), 'debs');
    mkdirSync(debs);
    for (const name of readdirSync(built).filter((each) => each.endsWith('.deb'))) {
      copyFileSync(join(built, name), join(debs, name));
    }
    const theirs = stanzas(execFileSync('apt-ftparchive', ['packages', '.'], { cwd: debs, encoding: 'utf8' }));
    const binary = join(repository, 'dists/stable/main/binary-amd64/Packages');
    const arm = join(repository, 'dists/stable/main/binary-arm64/Packages');
    const ours = stanzas(`${readFileSync(binary, 'utf8')}\n\n${readFileSync(arm, 'utf8')}`);
    expect(ours.size).toBe(10);
    expect([...ours.keys()].sort()).toEqual([...theirs.keys()].sort());
    for (const [id, fields] of ours) {
      const other = new Map(theirs.get(id));
      // Every apt that a distribution still has checks SHA-256; SHA-512 as well would double what is read.
      expect(other.delete('sha512')).toBe(true);
      // Ours is where the package is in the pool, theirs where it lies in the directory.
      expect(basename(fields.get('filename') ?? '')).toBe(basename(other.get('filename') ?? ''));
      other.set('filename', fields.get('filename') ?? '');
      expect(Object.fromEntries(fields), id).toEqual(Object.fromEntries(other));
    }
  });

  test('lists the same files as our Contents', () => {
    const contents = (text: string) =>
      text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => {
          const [, path = '', owners = ''] = /^(.*\S)\s+(\S+)$/.exec(line) ?? [];
          return `${path}: ${owners.replace(/[^,]*\//g, '')}`;
        })
        .sort();
    const amd64 = join(temporaryDirectory(), 'amd64');
    mkdirSync(amd64);
    for (const name of readdirSync(built).filter((each) => /_(amd64|all)\.deb$/.test(each))) {
      copyFileSync(join(built, name), join(amd64, name));
    }
    const theirs = execFileSync('apt-ftparchive', ['contents', '.'], { cwd: amd64, encoding: 'utf8' });
    const ours = execFileSync('gzip', ['-dc', join(repository, 'dists/stable/main/Contents-amd64.gz')], {
      encoding: 'utf8',
    });
    expect(contents(ours)).toEqual(contents(theirs));
    expect(contents(ours)).toContain('usr/bin/kubeadm: kubeadm');
  });
});

interface Source {
  readonly title: string;
  readonly line: (site: string) => string;
  /** Directory of the indices. */
  readonly view: string;
  /** A package that it has. */
  readonly kubelet: string;
}

const MINOR = 'core:/stable:/v1.37/deb';
const SOURCES: readonly Source[] = [
  {
    title: 'a channel with all its minors',
    line: (site) => `file:${site} stable main`,
    view: 'dists/stable',
    kubelet: 'pool/k/kubelet/kubelet_1.37.0-1_amd64.deb',
  },
  {
    title: 'a flat minor',
    line: (site) => `file:${site}/${MINOR} ./`,
    view: MINOR,
    kubelet: `${MINOR}/amd64/kubelet_1.37.0-1_amd64.deb`,
  },
];

describe.skipIf(!hasTool('apt-get'))('apt', () => {
  test.each(SOURCES)('updates and installs from $title', ({ line, view }) => {
    const root = temporaryDirectory();
    const apt = aptClient(root, line(repository), join(repository, view, 'Release.key'));
    const updated = apt.run('update');
    expect(updated.said).not.toMatch(/^[WE]:/m);
    expect(updated.status).toBe(0);
    const planned = apt.run('install', '--simulate', 'kubelet', 'keyring');
    expect(planned.said).toContain('Inst kubelet (1.37.0-1');
    const got = apt.run('install', '--download-only', '--yes', 'kubelet');
    expect(got.status, got.said).toBe(0);
    expect(apt.run('download', 'kubeadm').status).toBe(0);
    expect(readdirSync(root)).toContain('kubeadm_1.37.0-1_amd64.deb');
  });

  test('fetches indices by-hash while the next state is written', async () => {
    const site = join(temporaryDirectory(), 'site');
    copySync(repository, site);
    for (const name of ['Packages', 'Packages.gz', 'Packages.xz']) {
      writeFileSync(join(site, 'dists/stable/main/binary-amd64', name), 'of the next state');
    }
    const apt = aptClient(temporaryDirectory(), `file:${site} stable main`, key.public);
    expect(apt.run('update')).toMatchObject({ status: 0 });
  });

  test('refuses a repository signed by another key, and an unsigned one', async () => {
    const other = await makeKey(temporaryDirectory(), 'other');
    const strange = aptClient(temporaryDirectory(), `file:${repository} stable main`, other.public);
    expect(strange.run('update').status).not.toBe(0);
    const site = join(temporaryDirectory(), 'site');
    copySync(repository, site);
    await indexRepository(site, { unsigned: true });
    const unsigned = aptClient(temporaryDirectory(), `file:${site} stable main`, key.public);
    expect(unsigned.run('update').said).toMatch(/is not signed/);
  });

  const TAMPERED: readonly { what: string; files: (site: string, source: Source) => string[] }[] = [
    { what: 'InRelease', files: (site, { view }) => [join(site, view, 'InRelease')] },
    { what: 'Packages', files: (site, { view }) => listsIn(join(site, view)) },
    { what: 'the key', files: (site, { view }) => [join(site, view, 'Release.key')] },
    { what: 'a package', files: (site, { kubelet }) => [join(site, kubelet)] },
  ];
  const CASES = SOURCES.flatMap((source) => TAMPERED.map((tampered) => ({ ...source, ...tampered, source })));
  test.each(CASES)('refuses a manipulated repository: $what of $title', ({ line, view, what, files, source }) => {
    const site = join(temporaryDirectory(), 'site');
    copySync(repository, site);
    const apt = aptClient(temporaryDirectory(), line(site), join(site, view, 'Release.key'));
    if (what === 'a package') expect(apt.run('update').status).toBe(0);
    for (const file of files(site, source)) tamper(file);
    const { status, said } = what === 'a package' ? apt.run('download', 'kubelet=1.37.0-1') : apt.run('update');
    expect(status, said).not.toBe(0);
    expect(said).toMatch(/^E:/m);
  });
});

/** All Packages files, including by-hash. */
function listsIn(view: string): string[] {
  return readdirSync(view, { recursive: true, encoding: 'utf8' })
    .filter((name) => /Packages(\.gz|\.xz)?$|by-hash\/SHA256\/./.test(name))
    .map((name) => join(view, name));
}

/** Changes one letter in the middle, for a file of its own: not for the others that are links to it. */
function tamper(file: string): void {
  const bytes = readFileSync(file);
  const at = Math.floor(bytes.length / 2);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  rmSync(file);
  writeFileSync(file, bytes);
}

test('verify reports every manipulated file', async () => {
  const site = join(temporaryDirectory(), 'site');
  const paths = ['kubelet_1.37.0-1_amd64.deb', 'kubelet-1.37.0-1.x86_64.rpm'].map((name) => join(built, name));
  await addPackages(site, paths, { channel: 'stable', signers });
  const names = readdirSync(site, { recursive: true, encoding: 'utf8', withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(site.length + 1))
    .filter((name) => !name.startsWith('.kubeparcel/'));
  expect(names.length).toBeGreaterThan(35);
  for (const name of names) {
    const bytes = readFileSync(join(site, name));
    tamper(join(site, name));
    const { findings } = await verifyRepository(site);
    const faults = findings.filter(({ kind }) => kind !== 'link');
    expect(faults.length, `${name}: ${JSON.stringify(faults)}`).toBeGreaterThan(0);
    writeFileSync(join(site, name), bytes);
    rmSync(join(site, name));
    const without = await verifyRepository(site);
    expect(without.findings.filter(({ kind }) => kind !== 'link').length, name).toBeGreaterThan(0);
    writeFileSync(join(site, name), bytes);
  }
  const { findings } = await verifyRepository(site);
  expect(findings.filter(({ kind }) => kind !== 'link')).toEqual([]);
});
