import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { execa } from 'execa';
import { beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { readPackage } from '../../src/pipeline/read-package.ts';
import {
  directoryOfFile,
  environment,
  everythingIn,
  expectFailure,
  MAIN,
  packagesIn,
  run,
  succeed,
} from '../support/cli.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { hasTool } from '../support/tools.ts';

const cwd = directoryOfFile();
const SAMPLE = ['--source', 'sample', '--arch', 'amd64'];
const DEB = 'dist/kubelet_1.37.0-1_amd64.deb';
const RPM = 'dist/kubelet-1.37.0-1.x86_64.rpm';

beforeAll(async () => {
  await succeed(['build', ...SAMPLE], { cwd });
  await succeed(['build', ...SAMPLE, '1.20', '--packages', 'kubelet'], { cwd });
});

describe('inspect', () => {
  test.each([DEB, RPM])('shows %s', async (file) => {
    const stdout = await succeed(['inspect', file], { cwd });
    expect(stdout.split('\n')[0]).toBe(file);
    for (const part of [/^ {2}name +kubelet$/m, /^ {2}version +1\.37\.0-1$/m, /^depends:$/m, /^entries:$/m]) {
      expect(stdout).toMatch(part);
    }
    expect(stdout).toMatch(/^ {2}-rwxr-xr-x root:root +\d+ \/usr\/bin\/kubelet$/m);
    expect(stdout).toMatch(/^ {2}(md5 {5}[0-9a-f]{32}|sha256 {2}[0-9a-f]{64}) /m);
  });

  test('--json prints one object per package and line', async () => {
    const stdout = await succeed(['inspect', '--json', DEB, RPM], { cwd });
    const [deb, rpm] = stdout.split('\n').map((line) => JSON.parse(line));
    expect(deb).toMatchObject({ file: DEB, codec: 'xz', layout: { format: 'deb', name: 'kubelet' } });
    expect(rpm).toMatchObject({ file: RPM, codec: 'zstd', layout: { format: 'rpm', architecture: 'x86_64' } });
    expect(deb.metadata.Package).toBe('kubelet');
    expect(rpm.digests.length).toBeGreaterThan(2);
    for (const entry of [...deb.layout.entries, ...rpm.layout.entries]) {
      if (entry.kind === 'file') expect(entry.content.kind, entry.path).toBe('stored');
    }
  });

  test('files that are not packages are refused, with their names', async () => {
    const directory = temporaryDirectory();
    mkdirSync(join(directory, 'a-directory'));
    writeFileSync(join(directory, 'empty.deb'), '');
    writeFileSync(join(directory, 'short.rpm'), 'abc');
    writeFileSync(join(directory, 'page.deb'), '<html>not found</html>');
    for (const name of ['a-directory', 'empty.deb', 'short.rpm', 'page.deb']) {
      const text = await expectFailure(['inspect', name], { cwd: directory }, 6, 'not a .deb or .rpm package');
      expect(text).toContain(`where: ${name}`);
    }
    await expectFailure(['inspect', 'missing.deb'], { cwd: directory }, 7, 'no such file');
  });

  test.skipIf(!hasTool('mkfifo'))('a pipe without a writer is refused at once', async () => {
    const directory = temporaryDirectory();
    await execa('mkfifo', [join(directory, 'pipe')]);
    await expectFailure(['inspect', 'pipe'], { cwd: directory }, 6, 'not a .deb or .rpm package');
  });

  test.each([DEB, RPM])('a changed byte and a missing end of %s are detected', async (file) => {
    const directory = temporaryDirectory();
    const bytes = readFileSync(join(cwd, file));
    const damaged = Buffer.from(bytes);
    damaged[bytes.length - 300] = (damaged[bytes.length - 300] ?? 0) ^ 4;
    writeFileSync(join(directory, 'damaged'), damaged);
    writeFileSync(join(directory, 'cut'), bytes.subarray(0, bytes.length - 100));
    for (const name of ['damaged', 'cut']) {
      const { exitCode, stderr } = await run(['inspect', name], { cwd: directory });
      expect([5, 6], stderr).toContain(exitCode);
      expect(stderr).not.toMatch(/^\s+at /m);
    }
  });

  test('inspect | head prints no error', async () => {
    const script = 'set -o pipefail; "$@" | head -n 1';
    const command = ['-c', script, 'bash', process.execPath, MAIN, 'inspect', ...Array(20).fill(RPM)];
    const { stdout, stderr, exitCode } = await execa('bash', command, { ...environment(cwd), reject: false });
    expect({ stdout, stderr, exitCode }).toEqual({ stdout: RPM, stderr: '', exitCode: 0 });
  });

  test.skipIf(!hasTool('dpkg-deb'))('a package cannot control the terminal', async () => {
    const directory = temporaryDirectory();
    mkdirSync(join(directory, 'hostile', 'DEBIAN'), { recursive: true });
    const description = 'Description: Harmless\u001b]0;owned\u0007\u001b[2J';
    const fields = ['Package: h', 'Version: 1', 'Architecture: all', 'Maintainer: a <a@example.org>', description];
    writeFileSync(join(directory, 'hostile', 'DEBIAN', 'control'), `${fields.join('\n')}\n`);
    await execa('dpkg-deb', ['--build', 'hostile'], { cwd: directory });
    const stdout = await succeed(['inspect', 'hostile.deb'], { cwd: directory });
    expect(stdout).toContain('Harmless\\x1b]0;owned\\x07\\x1b[2J');
    expect(stdout).not.toContain('\u001b');
  });
});

describe('diff', () => {
  const old = 'dist/kubelet_1.20.0-1_amd64.deb';

  test('of equal packages prints one line and exits with 0', async () => {
    const { exitCode, stdout } = await run(['diff', DEB, DEB], { cwd });
    expect({ exitCode, stdout }).toEqual({
      exitCode: 0,
      stdout: 'no differences in metadata, relations, scripts, entries and contents',
    });
    expect(await succeed(['diff', '--json', DEB, DEB], { cwd })).toBe('[]');
  });

  test('of different packages prints both sides and exits with 1', async () => {
    const { exitCode, stdout, stderr } = await run(['diff', old, DEB], { cwd });
    expect(exitCode, stderr).toBe(1);
    expect(stdout.split('\n').slice(0, 2)).toEqual([`--- ${old}`, `+++ ${DEB}`]);
    expect(stdout).toMatch(/^version\n {2}- 1\.20\.0-1\n {2}\+ 1\.37\.0-1$/m);
  });

  test('--json prints an array, also for a DEB and an RPM', async () => {
    const { exitCode, stdout } = await run(['diff', '--json', DEB, RPM], { cwd });
    expect(exitCode).toBe(1);
    const differences = JSON.parse(stdout) as { what: string; left?: string; right?: string }[];
    const of = (what: string) => differences.find((one) => one.what === what);
    expect(of('/etc/default/kubelet')).toEqual({ what: '/etc/default/kubelet', left: 'file 0644 root:root' });
    expect(of('/etc/sysconfig/kubelet')).toEqual({ what: '/etc/sysconfig/kubelet', right: 'file 0644 root:root' });
    // Both packages contain the same program.
    expect(of('/usr/bin/kubelet')).toBeUndefined();
  });

  test('a file that cannot be read is a failure, not a difference', async () => {
    await expectFailure(['diff', DEB, 'missing.deb'], { cwd }, 7, 'no such file');
    await expectFailure(['diff', DEB, 'dist/SHA256SUMS'], { cwd }, 6, 'not a .deb or .rpm package');
  });
});

describe('init', () => {
  test('writes a file that build accepts, and does not overwrite a file', async () => {
    const directory = temporaryDirectory();
    expect(await succeed(['init'], { cwd: directory })).toContain('kubeparcel.yaml');
    const text = readFileSync(join(directory, 'kubeparcel.yaml'), 'utf8');
    await succeed(['build', ...SAMPLE, '--dry-run'], { cwd: directory });
    await expectFailure(['init'], { cwd: directory }, 7, 'already exists');
    expect(readFileSync(join(directory, 'kubeparcel.yaml'), 'utf8')).toBe(text);
  });

  test('all commented-out settings are valid', async () => {
    const directory = temporaryDirectory();
    await succeed(['init', 'all.yaml'], { cwd: directory });
    const text = readFileSync(join(directory, 'all.yaml'), 'utf8').replace(/^#(?=[a-z])/gm, '');
    expect(Object.keys(parse(text)).length).toBeGreaterThan(10);
    writeFileSync(join(directory, 'all.yaml'), text.replace(/^(packaging|templates): .*$/gm, ''));
    const flags = ['--source', 'sample', '--dry-run', '--config', 'all.yaml', '--packages', 'kubelet'];
    expect(await succeed(['build', ...flags], { cwd: directory })).toMatch(/debian-12[\s\S]*el-9/);
  });
});

describe('templates', () => {
  test('ejected and changed templates are used for packages', async () => {
    const directory = temporaryDirectory();
    const listed = await succeed(['templates', 'list'], { cwd: directory });
    await succeed(['templates', 'eject', 'mine'], { cwd: directory });
    const ejected = everythingIn(join(directory, 'mine')).filter((path) => path.endsWith('.ejs'));
    expect(ejected.sort()).toEqual(listed.split('\n').sort());
    const unit = join(directory, 'mine', 'kubelet.service.ejs');
    writeFileSync(unit, readFileSync(unit, 'utf8').replace(/^Description=.*$/m, 'Description=ours'));
    expect(await succeed(['templates', 'eject', 'mine'], { cwd: directory })).not.toMatch(/^wrote/m);
    writeFileSync(join(directory, 'kubeparcel.yaml'), 'templates: ./mine\n');
    const build = ['build', ...SAMPLE, '--packages', 'kubelet', '--formats', 'deb', '--out', 'own'];
    await succeed(build, { cwd: directory });
    const root = join(directory, 'root');
    if (hasTool('dpkg-deb')) {
      await execa('dpkg-deb', ['-x', join(directory, 'own', 'kubelet_1.37.0-1_amd64.deb'), root]);
      const [path = ''] = everythingIn(root).filter((name) => name.endsWith('kubelet.service'));
      expect(readFileSync(join(root, path), 'utf8')).toContain('Description=ours');
    }
    const theirs = await readPackage(join(directory, 'own', 'kubelet_1.37.0-1_amd64.deb'));
    const ours = await readPackage(join(cwd, DEB));
    const contents = ({ layout }: typeof ours) =>
      new Map(layout.entries.map((entry) => [entry.path, JSON.stringify(entry)]));
    const [a, b] = [contents(theirs), contents(ours)];
    expect([...a.keys()].filter((path) => a.get(path) !== b.get(path))).toEqual([
      expect.stringMatching(/\/kubelet\.service$/),
    ]);
  });

  test('an unknown value is refused with file and line, and nothing is built', async () => {
    const directory = temporaryDirectory();
    mkdirSync(join(directory, 'mine'));
    writeFileSync(
      join(directory, 'mine', 'kubelet.service.ejs'),
      '[Unit]\nDescription=x\nRequires=<%= it.nothing %>\n',
    );
    writeFileSync(join(directory, 'k.yaml'), 'templates: mine\n');
    const build = ['build', ...SAMPLE, '--config', 'k.yaml'];
    const text = await expectFailure(build, { cwd: directory }, 3, 'unknown value it.nothing');
    expect(text).toMatch(/mine\/kubelet\.service\.ejs:3$/m);
    expect(packagesIn(join(directory, 'dist'))).toEqual({});
  });

  test.each([['eject'], ['list']])('a misspelled %s is refused', async (action) => {
    await expectFailure(['templates', `${action}s`], { cwd }, 2, `"${action}s"`);
  });
});

describe.skipIf(!hasTool('dpkg-deb') || !hasTool('rpmbuild'))('layout', () => {
  test('prints commands that build the same packages', async () => {
    const directory = temporaryDirectory();
    const flags = [...SAMPLE, '--packages', 'kubelet,cri-tools', '--out', 'my layouts'];
    const stdout = await succeed(['layout', ...flags], { cwd: directory });
    const commands = stdout.split('\n').filter((line) => line.startsWith('  '));
    expect(commands).toHaveLength(4);
    await execa('sh', ['-e', '-c', commands.join('\n')], environment(directory));
    const made = everythingIn(join(directory, 'my layouts')).filter((path) => /\.(deb|rpm)$/.test(path));
    expect(made).toHaveLength(4);
    for (const path of made) {
      const { stdout } = await run(['diff', join(cwd, 'dist', basename(path)), join(directory, 'my layouts', path)], {
        cwd,
      });
      expect(stdout).toMatch(/^no differences/);
    }
  });

  test('does not overwrite a directory', async () => {
    const directory = temporaryDirectory();
    const flags = [...SAMPLE, '--packages', 'kubelet', '--formats', 'deb'];
    await succeed(['layout', ...flags], { cwd: directory });
    const before = everythingIn(join(directory, 'layouts'));
    await expectFailure(['layout', ...flags], { cwd: directory }, 7, 'already exists');
    expect(everythingIn(join(directory, 'layouts'))).toEqual(before);
    rmSync(join(directory, 'layouts'), { recursive: true });
  });
});
