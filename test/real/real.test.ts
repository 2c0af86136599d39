/**
 * Packages of a real release: kubeadm, kubelet, kubectl 1.20.2 and crictl are compiled, packaged together with Debian's CNI
 * plugins, compared with the output of dpkg and rpm, installed and run. Run: npm run test:real
 */
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Measured, measure } from '../../scripts/measure.ts';
import { buildRealPayload, type RealPayload } from '../../scripts/real-payload.ts';
import { buildRunners } from '../../scripts/runners.ts';
import { humanSize, table } from '../../src/cli/render/table.ts';
import { diffLayouts } from '../../src/layout/diff.ts';
import { contentSha256 } from '../../src/model/content.ts';
import { readPackage } from '../../src/pipeline/read-package.ts';
import { packageRoot } from '../../src/support/package-root.ts';
import { explanations, lintian, rpmlint, unexplained } from '../support/linters.ts';

const MAIN = join(packageRoot(), 'lib', 'cli', 'main.js');
const REAL = 'CNI plugins, crictl, kubeadm, kubectl and kubelet';

/** File type bits of st_mode in octal, as rpm prints them. */
const TYPE_BITS = { file: '0100', directory: '040', symlink: '0120' };

const work = mkdtempSync(join(tmpdir(), 'kubeparcel-real-'));
const dist = join(work, 'dist');
const report: [step: string, measured: Measured, bytes: number][] = [];
let payload: RealPayload;

const packages = (suffix: string) =>
  readdirSync(dist)
    .filter((name) => name.endsWith(suffix))
    .sort()
    .map((name) => join(dist, name));
const sizeOf = async (paths: string[]) =>
  (await Promise.all(paths.map(async (path) => (await import('node:fs')).statSync(path).size))).reduce(
    (a, b) => a + b,
    0,
  );

async function kubeparcel(step: string, ...args: string[]): Promise<Measured> {
  const measured = await measure([process.execPath, MAIN, ...args], { cwd: work });
  report.push([step, measured, 0]);
  return measured;
}

beforeAll(async () => {
  payload = await buildRealPayload({ say: (line) => process.stdout.write(`${line}\n`) });
  const say = (line: string) => process.stdout.write(`${line}\n`);
  await buildRunners([payload.architecture], { say, fetchMusl: false });
  const release = [payload.versions.kubernetes, '--source', payload.directory];
  for (const format of ['deb', 'rpm']) {
    const build = ['build', ...release, '--formats', format, '--out', dist];
    const step = await kubeparcel(`kubeparcel build --formats ${format}`, ...build);
    report[report.length - 1] = [`kubeparcel, five .${format}`, step, await sizeOf(packages(`.${format}`))];
  }
});

afterAll(() => {
  if (report.length > 0) {
    const rows = report.map(([step, { seconds, peakMemory }, bytes]) => [
      step,
      `${seconds.toFixed(1)} s`,
      humanSize(peakMemory),
      bytes === 0 ? '' : humanSize(bytes),
    ]);
    process.stdout.write(`\n${REAL} ${payload.versions.kubernetes}, ${payload.architecture}, same codec and level:\n`);
    process.stdout.write(`${table(['Step', '>Time', '>Peak memory', '>Packages'], rows)}\n\n`);
  }
  rmSync(work, { recursive: true, force: true });
});

test('the payload includes crictl', () => {
  expect(payload.versions.criTools, 'crictl comes from the Go module proxy').toBeDefined();
});

test('five DEBs and five RPMs are built', () => {
  expect(packages('.deb')).toHaveLength(5);
  expect(packages('.rpm')).toHaveLength(5);
});

describe('DEB', () => {
  test('lintian reports only what packaging/lint.yaml accepts', async () => {
    expect(unexplained(await lintian(packages('.deb')), explanations().lintian)).toEqual([]);
  });

  test('dpkg-deb shows the fields, contents, modes and owners of each package', async () => {
    for (const path of packages('.deb')) {
      const { layout } = await readPackage(path);
      const { stdout: info } = await execa('dpkg-deb', ['--info', path]);
      expect(info).toContain(`Package: ${layout.name}`);
      expect(info).toContain(`Architecture: ${payload.architecture === 'ppc64le' ? 'ppc64el' : payload.architecture}`);
      const { stdout: contents } = await execa('dpkg-deb', ['--contents', path]);
      const listed = contents.split('\n').map((line) => line.split(/\s+/));
      expect(new Set(listed.map(([, owner]) => owner))).toEqual(new Set(['root/root']));
      expect(listed.map((line) => line[5])).toEqual([
        './',
        ...layout.entries.map((entry) => `.${entry.path}${entry.kind === 'directory' ? '/' : ''}`),
      ]);
    }
  });

  test('kubernetes-cni depends on the C library that its dynamically linked plugins need', async () => {
    const { stdout } = await execa('dpkg-deb', [
      '--field',
      packages('.deb').find((p) => p.includes('cni')) ?? '',
      'Depends',
    ]);
    expect(stdout).toMatch(/^libc6 \(>= 2\.\d+\)$/);
  });

  test('dpkg installs all packages into an empty root, and the programs run', async () => {
    const root = join(work, 'deb-root');
    await execa('mkdir', ['-p', join(root, 'var/lib/dpkg/info'), join(root, 'var/lib/dpkg/updates')]);
    await execa('touch', [join(root, 'var/lib/dpkg/status'), join(root, 'var/lib/dpkg/available')]);
    // The root contains no dependencies, which the test above checks, and no shell: the scripts run outside, with DPKG_ROOT
    // set to the root.
    const force = ['--force-depends', '--force-script-chrootless'];
    await execa('dpkg', [`--root=${root}`, ...force, '--install', ...packages('.deb')]);
    const { stdout } = await execa('dpkg', [`--root=${root}`, '--list']);
    expect(stdout.split('\n').filter((line) => line.startsWith('ii '))).toHaveLength(5);
    await execa('dpkg', [`--root=${root}`, '--verify']).then(({ stdout }) => expect(stdout).toBe(''));
    await expectVersions(root);
  });
});

describe('RPM', () => {
  test('rpmlint reports only what packaging/lint.yaml accepts', async () => {
    expect(unexplained(await rpmlint(packages('.rpm'), work), explanations().rpmlint)).toEqual([]);
  });

  test('rpm -K accepts every digest', async () => {
    const { stdout } = await execa('rpm', ['-K', ...packages('.rpm')]);
    expect(stdout.match(/: digests OK$/gm)).toHaveLength(5);
  });

  test('rpm -qp shows the files, modes, owners, digests, requires and provides of each package', async () => {
    for (const path of packages('.rpm')) {
      const { layout } = await readPackage(path);
      const { stdout: dump } = await execa('rpm', ['-qp', '--dump', path]);
      const rows = dump.split('\n').map((line) => line.split(' '));
      expect(rows.map(([name, , , digest, mode, owner]) => [name, digest, mode, owner])).toEqual(
        layout.entries.map((entry) => [
          entry.path,
          entry.kind === 'file' ? contentSha256(entry.content) : '0'.repeat(64),
          `${TYPE_BITS[entry.kind]}${entry.mode.toString(8)}`,
          'root',
        ]),
      );
      const { stdout: provides } = await execa('rpm', ['-qp', '--provides', path]);
      const { upstream, revision } = layout.version;
      expect(provides.split('\n')).toContain(`${layout.name} = ${upstream}-${revision}`);
      const { stdout: requires } = await execa('rpm', ['-qp', '--requires', path]);
      if (layout.name === 'kubernetes-cni') expect(requires).toMatch(/^libc\.so\.6\(GLIBC_2\.\d+\)\(64bit\)$/m);
      if (layout.name === 'kubelet') expect(requires).toMatch(/^kubernetes-cni >= 0\.8\.7$/m);
    }
  });

  test('rpm installs and verifies all packages in an empty root, and the programs run', async () => {
    const root = join(work, 'rpm-root');
    // By default Debian's rpm has its database in the home directory.
    const database = ['--root', root, '--dbpath', '/var/lib/rpm'];
    // The root has no shell; hooks.test.ts runs the scriptlets.
    await execa('rpm', [...database, '--nodeps', '--noscripts', '-i', ...packages('.rpm')]);
    const { stdout } = await execa('rpm', [...database, '-qa']);
    expect(stdout.split('\n')).toHaveLength(5);
    await execa('rpm', [...database, '--nodeps', '-V', '-a']).then(({ stdout }) => expect(stdout).toBe(''));
    await expectVersions(root);
  });
});

describe('the distributions’ own tools', () => {
  const layouts = join(work, 'layouts');

  beforeAll(async () => {
    const { kubernetes } = payload.versions;
    await measure([process.execPath, MAIN, 'layout', kubernetes, '--source', payload.directory, '--out', layouts], {
      cwd: work,
    });
  });

  test('dpkg-deb builds equal packages', async () => {
    const out = join(work, 'by-dpkg-deb');
    await execa('mkdir', [out]);
    const native = packages('.deb');
    const script = 'for package do dpkg-deb --root-owner-group -Zxz -z6 --build "$package" "$OUT" || exit; done';
    const measured = await measure(['sh', '-c', script, 'sh', ...native.map((path) => directoryOf(layouts, path))], {
      env: { OUT: out, SOURCE_DATE_EPOCH: '1610496000' },
    });
    report.push([
      'dpkg-deb -Zxz -z6, five .deb',
      measured,
      await sizeOf(native.map((path) => path.replace(dist, out))),
    ]);
    for (const path of native) await expectEqual(path, path.replace(dist, out));
  });

  test('rpmbuild builds equal packages', async () => {
    const native = packages('.rpm');
    const script = [
      'for package do',
      `rpmbuild -bb --quiet --define "_topdir $package" --define '_binary_payload w12.zstdio' "$package"/SPECS/*.spec || exit`,
      'done',
    ].join('\n');
    const directories = native.map((path) => directoryOf(layouts, path));
    const measured = await measure(['sh', '-c', script, 'sh', ...directories], {
      env: { SOURCE_DATE_EPOCH: '1610496000' },
    });
    const built = directories.map((directory) => {
      const [arch = ''] = readdirSync(join(directory, 'RPMS'));
      return join(directory, 'RPMS', arch, readdirSync(join(directory, 'RPMS', arch))[0] ?? '');
    });
    report.push(['rpmbuild w12.zstdio, five .rpm', measured, await sizeOf(built)]);
    for (const [index, path] of native.entries()) await expectEqual(path, built[index] ?? '');
  });
});

function directoryOf(layouts: string, path: string): string {
  return join(layouts, path.replace(/^.*\//, '').replace(/\.(deb|rpm)$/, ''));
}

async function expectEqual(native: string, other: string): Promise<void> {
  const [a, b] = await Promise.all([readPackage(native), readPackage(other)]);
  expect(diffLayouts(a.layout, b.layout), native).toEqual([]);
}

/** Runs the installed programs, which are statically linked or use this machine's C library. */
async function expectVersions(root: string): Promise<void> {
  const { kubernetes, cniPlugins, criTools } = payload.versions;
  const run = async (program: string, ...args: string[]) => (await execa(join(root, program), args)).stdout;
  expect(await run('usr/bin/kubelet', '--version')).toBe(`Kubernetes v${kubernetes}`);
  expect(await run('usr/bin/kubeadm', 'version', '-o', 'short')).toBe(`v${kubernetes}`);
  expect(await run('usr/bin/kubectl', 'version', '--client', '--short')).toBe(`Client Version: v${kubernetes}`);
  expect(await run('usr/bin/crictl', '--version')).toContain(criTools);
  const bridge = await execa(join(root, 'opt/cni/bin/bridge'), { env: { CNI_COMMAND: 'VERSION' }, input: '{}' });
  expect(JSON.parse(bridge.stdout)).toMatchObject({ supportedVersions: expect.arrayContaining(['0.4.0']) });
  expect(cniPlugins).toMatch(/^\d/);
  expect(existsSync(join(root, 'usr/lib/systemd/system/kubelet.service'))).toBe(true);
}
