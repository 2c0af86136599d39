import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execaSync } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeBundle } from '../../src/repo/bundle/bundle.ts';
import { addPackages } from '../../src/repo/operations/add.ts';
import { newKey } from '../../src/sign/new-key.ts';
import { openSigners } from '../../src/sign/open-keys.ts';
import { aptClient } from '../support/apt-client.ts';
import { writeReleases } from '../support/repo-packages.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { hasTool } from '../support/tools.ts';

const NAMES = ['kubeadm', 'kubectl', 'kubelet'];
const tools = ['apt-get', 'tar', 'shellcheck', 'dash'].every(hasTool);

describe.skipIf(!tools)('a bundle for a host without a network', () => {
  let temp: string;
  let repository: string;

  beforeAll(async () => {
    temp = mkdtempSync(join(tmpdir(), 'kubeparcel-test-'));
    repository = join(temp, 'repository');
    const date = Math.floor(Date.now() / 1000) - 3600;
    const key = await newKey({
      userId: 'T <t@example.org>',
      algorithm: 'ed25519',
      lifetime: 86_400,
      passphrase: undefined,
      date,
    });
    const signers = await openSigners([], { environment: { KUBEPARCEL_SIGNING_KEY: key.privateKey } });
    const files = await writeReleases(join(temp, 'packages'), ['1.35.1', '1.36.4'], NAMES, ['amd64', 'arm64']);
    await addPackages(repository, files, { channel: 'stable', signers });
  });
  afterAll(() => rmSync(temp, { recursive: true, force: true }));

  const all = { channel: 'stable', minors: undefined, formats: undefined, architectures: undefined } as const;

  async function unpacked(request: Partial<Parameters<typeof writeBundle>[1]> = {}): Promise<string> {
    const directory = temporaryDirectory();
    await writeBundle(repository, { ...all, ...request, out: join(directory, 'b.tar') });
    execaSync('tar', ['xf', 'b.tar'], { cwd: directory });
    return join(directory, 'kubernetes-packages');
  }

  /** The script as a host would run it, with an apt that sees nothing else; in three shells. */
  function install(bundle: string, args: readonly string[], shell: readonly string[] = ['dash']) {
    const host = temporaryDirectory();
    aptClient(host, [], undefined);
    const [program = '', ...options] = shell;
    const { exitCode, all } = execaSync(program, [...options, join(bundle, 'install.sh'), '--dry-run', ...args], {
      env: { APT_CONFIG: join(host, 'apt.conf'), LC_ALL: 'C' },
      reject: false,
      all: true,
    });
    expect(readdirSync(join(host, 'none'))).toEqual([]);
    return { status: exitCode, said: all };
  }

  test('the same request gives the same bytes with exactly the requested packages', async () => {
    const out = (name: string) => join(temp, name);
    const request = { ...all, minors: ['1.36'], formats: ['deb'], architectures: ['amd64'] } as const;
    const made = await writeBundle(repository, { ...request, out: out('a.tar') });
    await writeBundle(repository, { ...request, minors: ['v1.36'], out: out('b.tar') });
    expect(made).toMatchObject({ minors: ['1.36'], packages: 3 });
    expect(readFileSync(out('a.tar')).equals(readFileSync(out('b.tar')))).toBe(true);
    const names = execaSync('tar', ['tf', out('a.tar')]).stdout.split('\n');
    expect(names.filter((name) => name.endsWith('.deb'))).toHaveLength(3);
    expect(names.some((name) => /rpm|arm64\/|1\.35/.test(name))).toBe(false);
    await expect(writeBundle(repository, { ...all, minors: ['1.30'], out: out('c.tar') })).rejects.toMatchObject({
      kind: 'usage',
      message: 'no packages of Kubernetes 1.30 to bundle',
    });
    expect(existsSync(out('c.tar'))).toBe(false);
  });

  test('install.sh is POSIX sh and has a usage text', async () => {
    const bundle = await unpacked();
    execaSync('shellcheck', ['--shell=sh', join(bundle, 'install.sh')]);
    expect(install(bundle, ['--help']).said).toContain('one of: 1.35 1.36 (default 1.36)');
    for (const wrong of [['--minor', '1.30'], ['--minor'], ['--what'], ['a;b']]) {
      expect(install(bundle, wrong).status).toBe(1);
    }
  });

  test.each([['dash'], ['bash', '--posix'], ['busybox', 'sh']])(
    'apt finds the newest minor with %s',
    async (...shell) => {
      if (!hasTool(shell[0] ?? '')) return;
      const { status, said } = install(await unpacked(), [], shell);
      expect(said).toContain('Inst kubelet (1.36.4-1 ');
      expect(said).toContain('Inst kubectl (1.36.4-1 ');
      expect(status).toBe(0);
      expect(said).not.toMatch(/^[WE]:/m);
    },
  );

  test('installs another minor and selected packages', async () => {
    const { said } = install(await unpacked(), ['--minor', '1.35', 'kubeadm']);
    expect(said).toContain('Inst kubeadm (1.35.1-1 ');
    expect(said).not.toContain('Inst kubelet');
  });

  test('damaged files and invalid signatures are refused', async () => {
    const bundle = await unpacked();
    const view = join(bundle, 'core:', 'stable:', 'v1.36', 'deb');
    appendFileSync(join(view, 'amd64', 'kubelet_1.36.4-1_amd64.deb'), 'x');
    expect(install(bundle, []).said).toContain('files are damaged or missing');
    const changed = await unpacked();
    const sums = join(changed, 'SHA256SUMS');
    appendFileSync(join(changed, 'core:', 'stable:', 'v1.36', 'deb', 'InRelease'), 'x');
    rmSync(sums);
    execaSync('sh', ['-c', 'find core: -type f | xargs sha256sum >SHA256SUMS'], { cwd: changed });
    const { status, said } = install(changed, []);
    expect([status === 0, said]).toEqual([
      false,
      expect.stringMatching(/^[EW]: .*(InRelease|not signed|Clearsigned)/m),
    ]);
  });
});

test('a directory that is not a repository is refused', async () => {
  const directory = temporaryDirectory();
  mkdirSync(join(directory, 'empty'));
  const request = { channel: 'stable', minors: undefined, formats: undefined, architectures: undefined } as const;
  await expect(writeBundle(join(directory, 'empty'), { ...request, out: join(directory, 'x') })).rejects.toMatchObject({
    kind: 'usage',
  });
});
