import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execaSync } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadCatalog } from '../../src/catalog/catalog.ts';
import { findDistribution } from '../../src/catalog/targets.ts';
import { loadProvided } from '../../src/repo/closure/provided.ts';
import { formatProvided, makeProvided } from '../../src/repo/closure/update-provided.ts';
import { type RepositoryServer, serveRepository } from '../../src/repo/serve/serve.ts';
import { smallLayout, writeSmall } from '../support/repo-packages.ts';
import { hasTool } from '../support/tools.ts';

const tools = ['apt-ftparchive', 'createrepo_c', 'gzip'].every(hasTool);

describe.skipIf(!tools)('lists of provided names', () => {
  let directory: string;
  let server: RepositoryServer;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'kubeparcel-test-'));
    const deb = join(directory, 'deb', 'dists', 'test', 'main', 'binary-amd64');
    const socat = smallLayout({ format: 'deb', name: 'socat', version: '1.8.0' });
    const provides = [
      { anyOf: [{ name: 'iptables', constraint: { operator: '=' as const, version: '2:1.9' } }] },
      { anyOf: [{ name: 'ebtables' }] },
    ];
    await writeSmall({ ...socat, relations: { ...socat.relations, provides } }, deb);
    await writeSmall(smallLayout({ format: 'deb', name: 'unrelated', version: '1' }), deb);
    const { stdout } = execaSync('apt-ftparchive', ['packages', '.'], { cwd: deb });
    writeFileSync(join(deb, 'Packages'), `${stdout}\n`);
    execaSync('gzip', ['Packages'], { cwd: deb });
    const dist = join(directory, 'deb', 'dists', 'test');
    writeFileSync(join(directory, 'Release'), execaSync('apt-ftparchive', ['release', '.'], { cwd: dist }).stdout);
    execaSync('mv', [join(directory, 'Release'), join(dist, 'Release')]);
    const rpm = join(directory, 'rpm', 'x86_64');
    mkdirSync(rpm, { recursive: true });
    const glibc = smallLayout({ format: 'rpm', name: 'glibc', version: '2.34' });
    const sonames = ['libc.so.6(GLIBC_2.34)(64bit)', 'libm.so.6()(64bit)', 'libother.so.1()(64bit)'];
    const relations = { ...glibc.relations, provides: sonames.map((name) => ({ anyOf: [{ name }] })) };
    await writeSmall({ ...glibc, relations }, rpm);
    await writeSmall(smallLayout({ format: 'rpm', name: 'iptables', version: '1.8.8', revision: '4.el9' }), rpm);
    await writeSmall(smallLayout({ format: 'rpm', name: 'socat', version: '1', architecture: 'arm64' }), rpm);
    execaSync('createrepo_c', ['--quiet', rpm]);
    server = await serveRepository(directory, { port: 0, host: '127.0.0.1' });
  });
  afterAll(async () => {
    await server.close();
    rmSync(directory, { recursive: true, force: true });
  });

  test('from a Debian archive: package names and provided names with versions', async () => {
    const catalog = await loadCatalog();
    const mirror = { deb: `${server.url}/deb`, suite: 'test', components: ['main'], architectures: ['amd64'] };
    const made = await makeProvided(catalog, findDistribution(catalog, 'debian-12'), mirror);
    expect(made.architectures).toEqual({ amd64: { ebtables: [], iptables: ['2:1.9'], socat: ['1.8.0-1'] } });
    expect(made.verified).toBe(true);
    writeFileSync(join(directory, 'debian-12.yaml'), formatProvided(made));
    expect(await loadProvided(directory)).toEqual([made]);
  });

  test('from an rpm-md repository: names and sonames of the architecture only', async () => {
    const catalog = await loadCatalog();
    const mirror = { rpm: [`${server.url}/rpm/{arch}`], architectures: ['x86_64'] };
    const made = await makeProvided(catalog, findDistribution(catalog, 'el-9'), mirror);
    expect(made.architectures).toEqual({
      x86_64: { iptables: ['1.8.8-4.el9'], 'libc.so.6(GLIBC_2.34)(64bit)': [], 'libm.so.6()(64bit)': [] },
    });
  });

  test('a list with a wrong digest is refused', async () => {
    const catalog = await loadCatalog();
    const mirror = { deb: `${server.url}/deb`, suite: 'test', components: ['main'], architectures: ['amd64'] };
    writeFileSync(join(directory, 'deb', 'dists', 'test', 'main', 'binary-amd64', 'Packages.gz'), 'changed');
    await expect(makeProvided(catalog, findDistribution(catalog, 'debian-12'), mirror)).rejects.toMatchObject({
      kind: 'verification',
    });
    const absent = { ...mirror, suite: 'absent' };
    await expect(makeProvided(catalog, findDistribution(catalog, 'debian-12'), absent)).rejects.toMatchObject({
      kind: 'network',
    });
  });
});
