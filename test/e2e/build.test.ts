import { existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { readPackage } from '../../src/pipeline/read-package.ts';
import {
  environment,
  events,
  everythingIn,
  expectFailure,
  MAIN,
  packagesIn,
  run,
  sha256Of,
  succeed,
} from '../support/cli.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { hasTool } from '../support/tools.ts';

const SAMPLE = ['build', '--source', 'sample', '--arch', 'amd64'];
const FIVE = ['cri-tools', 'kubeadm', 'kubectl', 'kubelet', 'kubernetes-cni'];

/** The packages that a dry run lists. */
async function planned(args: readonly string[], cwd: string): Promise<string[]> {
  const stdout = await succeed([...args, '--dry-run', '--json'], { cwd });
  const plan = events(stdout).find(({ event }) => event === 'planned') as unknown as { tasks: { file: string }[] };
  return plan.tasks.map(({ file }) => file);
}

describe('build --source sample', () => {
  test('writes ten packages and their digests and prints a table of 80 columns', async () => {
    const cwd = temporaryDirectory();
    const { exitCode, stdout, stderr } = await run(SAMPLE, { cwd });
    expect(exitCode, stderr).toBe(0);
    const names = Object.keys(packagesIn(join(cwd, 'dist')));
    expect(names.filter((name) => name.endsWith('.deb')).map((name) => name.split('_')[0])).toEqual(FIVE);
    expect(names.filter((name) => name.endsWith('.rpm')).map((name) => name.replace(/-\d.*/, ''))).toEqual(FIVE);
    expect(everythingIn(join(cwd, 'dist'))).toEqual([...names, 'SHA256SUMS'].sort());
    for (const name of names) expect(stdout).toContain(`${name} `);
    expect(stdout).toContain('10 packages of Kubernetes v1.37.0 in dist/.');
    expect(stdout).toContain('All artifacts match the digests in the sample.');
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
    // Progress goes to standard error, as lines if that is not a terminal.
    expect(stdout).not.toMatch(/^(verified|built|plan) /m);
    expect(stderr.match(/^built {7}/gm)).toHaveLength(10);
    for (const control of ['\u001b', '\r']) expect(stdout + stderr).not.toContain(control);
  });

  test.skipIf(!hasTool('sha256sum'))('sha256sum accepts SHA256SUMS, which has the packages of all runs', async () => {
    const cwd = temporaryDirectory();
    await succeed([...SAMPLE, '--formats', 'deb'], { cwd });
    await succeed([...SAMPLE, '--formats', 'rpm'], { cwd });
    const { stdout } = await execa('sha256sum', ['-c', 'SHA256SUMS'], { cwd: join(cwd, 'dist') });
    expect(stdout.match(/: OK$/gm)).toHaveLength(10);
  });

  test('--json prints one object per line, with correct sizes and digests', async () => {
    const cwd = temporaryDirectory();
    const { stdout, stderr } = await run([...SAMPLE, '--json'], { cwd });
    expect(stderr).toBe('');
    const all = events(stdout);
    expect(all[0]).toEqual({ event: 'found', version: '1.37.0', source: 'sample' });
    expect(all.at(-1)?.event).toBe('packed');
    const packed = all.filter(({ event }) => event === 'packed');
    expect(packed).toHaveLength(10);
    for (const { path, size, sha256, task } of packed as unknown as Packed[]) {
      expect(path).toBe(join('dist', task.file));
      expect({ size: statSync(join(cwd, path)).size, sha256: sha256Of(join(cwd, path)) }).toEqual({ size, sha256 });
      expect(task.target).toMatch(/^(deb|rpm)$/);
    }
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThan(4000);
  });

  test('--dry-run writes no files', async () => {
    const cwd = temporaryDirectory();
    const stdout = await succeed([...SAMPLE, '--dry-run'], { cwd });
    expect(stdout).toContain('kubelet_1.37.0-1_amd64.deb');
    expect(stdout).toContain('Nothing was built.');
    expect(everythingIn(cwd)).toEqual([]);
  });

  interface Packed {
    readonly path: string;
    readonly size: number;
    readonly sha256: string;
    readonly task: { readonly file: string; readonly target: string };
  }
});

describe('flags', () => {
  const kubelet = ['build', '--source', 'sample', '--packages', 'kubelet'];

  test.each([
    ['a comma list', ['--arch', 'amd64,s390x', '--formats', 'deb'], ['_amd64.deb', '_s390x.deb']],
    ['a flag twice', ['--arch', 'arm64', '--arch', 'ppc64le', '--formats', 'deb'], ['_arm64.deb', '_ppc64el.deb']],
    [
      '--arch all',
      ['--arch', 'all', '--formats', 'rpm'],
      ['.x86_64.rpm', '.aarch64.rpm', '.ppc64le.rpm', '.s390x.rpm'],
    ],
    ['--distro', ['--arch', 'amd64', '--distro', 'debian-12,el-9'], ['~debian12_amd64.deb', '.el9.x86_64.rpm']],
    ['--revision', ['--arch', 'amd64', '--revision', '7.1'], ['1.37.0-7.1_amd64.deb', '1.37.0-7.1.x86_64.rpm']],
    ['an old version', ['1.20', '--arch', 'amd64'], ['1.20.0-1_amd64.deb', '1.20.0-1.x86_64.rpm']],
    [
      'the last of two values',
      ['--revision', '1', '--revision', '2', '--arch', 'amd64'],
      ['-2_amd64.deb', '-2.x86_64.rpm'],
    ],
  ])('%s', async (_, flags, endings) => {
    const files = await planned([...kubelet, ...flags], temporaryDirectory());
    expect(files).toHaveLength(endings.length);
    for (const ending of endings)
      expect(files).toContainEqual(expect.stringMatching(new RegExp(`^kubelet.*${ending.replaceAll('.', '\\.')}$`)));
  });

  test('--packages accepts several packages', async () => {
    const flags = ['--packages', 'kubectl,cri-tools', '--formats', 'deb'];
    const files = await planned([...SAMPLE, ...flags], temporaryDirectory());
    expect(files).toEqual(['cri-tools_1.37.0-1_amd64.deb', 'kubectl_1.37.0-1_amd64.deb']);
  });

  test('--compression sets the compression of the packages', async () => {
    const cwd = temporaryDirectory();
    for (const codec of ['none', 'gzip', 'xz', 'zstd']) {
      const formats = codec === 'zstd' ? ['rpm'] : ['deb', 'rpm'];
      await succeed([...kubelet, '--arch', 'amd64', '--formats', formats.join(','), '--compression', codec], { cwd });
      for (const name of Object.keys(packagesIn(join(cwd, 'dist'))).filter((name) =>
        formats.includes(name.slice(-3)),
      )) {
        expect((await readPackage(join(cwd, 'dist', name))).codec, name).toBe(codec);
      }
    }
  });

  test('rejects a compression that a target cannot read, and names the distributions', async () => {
    const cwd = temporaryDirectory();
    const text = await expectFailure(
      [...SAMPLE, '--compression', 'zstd:19'],
      { cwd },
      2,
      'cannot read packages compressed with zstd',
    );
    expect(text).toContain('debian-11');
    expect(existsSync(join(cwd, 'dist'))).toBe(false);
  });
});

describe('kubeparcel.yaml', () => {
  const SETTINGS = `source: sample
architectures: [amd64]
packages: [kubectl]
revision: "3"
out: made
`;

  test('is read from the current directory; flags take precedence', async () => {
    const cwd = temporaryDirectory();
    writeFileSync(join(cwd, 'kubeparcel.yaml'), SETTINGS);
    expect(await planned(['build'], cwd)).toEqual(['kubectl_1.37.0-3_amd64.deb', 'kubectl-1.37.0-3.x86_64.rpm']);
    const flags = ['--packages', 'kubelet', '--arch', 'arm64', '--formats', 'deb', '--revision', '4'];
    expect(await planned(['build', ...flags], cwd)).toEqual(['kubelet_1.37.0-4_arm64.deb']);
    await succeed(['build', '--formats', 'deb'], { cwd });
    expect(Object.keys(packagesIn(join(cwd, 'made')))).toEqual(['kubectl_1.37.0-3_amd64.deb']);
  });

  test('is read from --config; its paths are relative to the file', async () => {
    const cwd = temporaryDirectory();
    mkdirSync(join(cwd, 'settings'));
    writeFileSync(join(cwd, 'settings', 'k.yaml'), SETTINGS);
    await succeed(['build', '--config', 'settings/k.yaml', '--formats', 'deb'], { cwd });
    expect(Object.keys(packagesIn(join(cwd, 'settings', 'made')))).toHaveLength(1);
  });

  test.each([
    ['an unknown key', 'source: sample\n\nformat: deb\n', /k\.yaml:3:1/, 'format'],
    ['a number as version', 'source: sample\nversion: 1.30\n', /k\.yaml:2:1/, 'quotes'],
    [
      'an unknown architecture',
      'architectures:\n  - amd64\n  - mips\n',
      /k\.yaml:3:5/,
      'unknown architecture "mips"; expected amd64',
    ],
    ['too many jobs', '# one\njobs: 1000\n', /k\.yaml:2:1/, 'from 1 to 256'],
    ['invalid YAML', 'jobs: [\n', /k\.yaml:\d:\d/, 'invalid YAML'],
  ])('with %s is refused with the line number', async (_, text, where, message) => {
    const cwd = temporaryDirectory();
    writeFileSync(join(cwd, 'k.yaml'), text);
    const failure = await expectFailure(['build', '--source', 'sample', '--config', 'k.yaml'], { cwd }, 3, message);
    expect(failure).toMatch(where);
    expect(everythingIn(cwd)).toEqual(['k.yaml']);
  });
});

describe('same inputs, same bytes', () => {
  const ALL = ['build', '--source', 'sample', '--arch', 'amd64,s390x', '--without-confgen'];

  test('for any directory, cache, umask, locale, time zone, user, number of jobs and time', async () => {
    const first = temporaryDirectory();
    const second = temporaryDirectory();
    await succeed([...ALL, '--jobs', '1'], {
      cwd: first,
      env: { TZ: 'UTC', LC_ALL: 'C', LANG: 'C', USER: 'root', LOGNAME: 'root' },
    });
    const deeper = join(second, 'some where', 'else');
    mkdirSync(deeper, { recursive: true });
    const others = {
      TZ: 'Asia/Kathmandu',
      LC_ALL: 'tr_TR.UTF-8',
      LANG: 'tr_TR.UTF-8',
      USER: 'nobody',
      LOGNAME: 'nobody',
    };
    const command = `umask 077; sleep 1.1; exec "$@"`;
    await execa(
      'sh',
      ['-c', command, 'sh', process.execPath, MAIN, ...ALL, '--jobs', '4'],
      environment(deeper, others),
    );
    const made = packagesIn(join(deeper, 'dist'));
    expect(Object.keys(made)).toHaveLength(20);
    expect(made).toEqual(packagesIn(join(first, 'dist')));
    expect(sha256Of(join(deeper, 'dist', 'SHA256SUMS'))).toBe(sha256Of(join(first, 'dist', 'SHA256SUMS')));
    // Despite a strict umask, web servers must be able to read the packages.
    for (const name of Object.keys(made)) expect(statSync(join(deeper, 'dist', name)).mode & 0o777).toBe(0o644);
  });

  test('SOURCE_DATE_EPOCH sets all dates in the packages', async () => {
    const cwd = temporaryDirectory();
    const build = [...SAMPLE, '--packages', 'kubelet'];
    await succeed([...build, '--out', 'a'], { cwd, env: { SOURCE_DATE_EPOCH: '1000000000' } });
    await succeed([...build, '--out', 'b'], { cwd, env: { SOURCE_DATE_EPOCH: '1000000000' } });
    await succeed([...build, '--out', 'c'], { cwd });
    expect(packagesIn(join(cwd, 'a'))).toEqual(packagesIn(join(cwd, 'b')));
    for (const name of Object.keys(packagesIn(join(cwd, 'a')))) {
      const { layout } = await readPackage(join(cwd, 'a', name));
      const usual = await readPackage(join(cwd, 'c', name));
      expect(new Set(layout.entries.map(({ mtime }) => mtime)), name).toEqual(new Set([1_000_000_000]));
      expect(Math.floor((layout.changelog[0]?.date ?? 0) / 86_400)).toBe(Math.floor(1_000_000_000 / 86_400));
      expect(usual.layout.entries[0]?.mtime).toBe(Date.parse('2026-09-01T00:00:00Z') / 1000);
    }
  });

  test.each(['never', '1.5', '99999999999'])('SOURCE_DATE_EPOCH=%j is refused', async (value) => {
    const cwd = temporaryDirectory();
    const text = await expectFailure(SAMPLE, { cwd, env: { SOURCE_DATE_EPOCH: value } }, 2, 'invalid time');
    expect(text).toContain('SOURCE_DATE_EPOCH');
    expect(everythingIn(cwd), 'refused before anything is fetched').toEqual([]);
  });
});
