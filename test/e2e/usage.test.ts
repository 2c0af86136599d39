import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, onTestFinished, test } from 'vitest';
import { version } from '../../src/support/package-root.ts';
import { makeBinariesDirectory, noise } from '../support/binaries-directory.ts';
import { environment, everythingIn, expectFailure, MAIN, packagesIn, run, succeed } from '../support/cli.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { hasTool } from '../support/tools.ts';

const COMMANDS = [
  'build',
  'fetch',
  'layout',
  'inspect',
  'diff',
  'init',
  'templates',
  'sign',
  'cache',
  'images',
  'test',
];
const SUBCOMMANDS = ['keys new', 'repo add', 'repo remove', 'repo prune', 'repo promote', 'repo index', 'repo verify'];
const SAMPLE = ['build', '--source', 'sample', '--arch', 'amd64', '--without-confgen'];

describe('help', () => {
  test.each([[[]], ...[...COMMANDS, ...SUBCOMMANDS].map((command) => [command.split(' ')])])(
    '%j --help fits 80 columns and shows an example',
    async (words) => {
      const stdout = await succeed([...words, '--help'], { cwd: temporaryDirectory() });
      expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
      expect(stdout).toMatch(new RegExp(`^Examples:\\n +kubeparcel ${words.join(' ')}`, 'm'));
    },
  );

  test('goes to standard error without a command', async () => {
    const { exitCode, stdout, stderr } = await run([], { cwd: temporaryDirectory() });
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    for (const command of COMMANDS) expect(stderr).toContain(`kubeparcel ${command}`);
  });

  test('is English whatever the locale', async () => {
    const german = { LC_ALL: 'de_DE.UTF-8', LANG: 'de_DE.UTF-8' };
    const stdout = await succeed(['build', '--help'], { cwd: temporaryDirectory(), env: german });
    expect(stdout).toBe(await succeed(['build', '--help'], { cwd: temporaryDirectory() }));
  });

  test('--version', async () => {
    expect(await succeed(['--version'], { cwd: temporaryDirectory() })).toBe(version());
  });
});

describe('a usage error is one message with exit status 2', () => {
  test.each([
    ['an unknown command', ['bild'], 'unknown command: bild'],
    ['an unknown flag', [...SAMPLE, '--frob'], 'unknown flag or argument: frob'],
    ['a mistyped flag', [...SAMPLE, '--format', 'deb'], 'format'],
    ['a flag only', ['--frob'], 'missing command'],
    ['one argument too many', [...SAMPLE, '1.36', 'more'], 'more'],
    ['a flag without its value', [...SAMPLE, '--out'], 'missing value for --out'],
    ['a list without its value', [...SAMPLE, '--packages'], 'missing value for --packages'],
    ['jobs that are not a number', [...SAMPLE, '--jobs', 'many'], 'expected a whole number from 1 to 256'],
    ['zero jobs', [...SAMPLE, '--jobs', '0'], 'expected a whole number from 1 to 256'],
    ['an unknown architecture', [...SAMPLE, '--arch', 'x86'], 'unknown architecture "x86"; expected amd64, arm64'],
    ['an unknown format', [...SAMPLE, '--formats', 'apk'], 'unknown format "apk"; expected deb, rpm'],
    ['an unknown package', [...SAMPLE, '--packages', 'kublet'], 'unknown package "kublet"'],
    ['an unknown distribution', [...SAMPLE, '--distro', 'plan9'], 'unknown distribution "plan9"'],
    ['an unknown codec', [...SAMPLE, '--compression', 'lz4'], 'unknown compression "lz4"'],
    ['a revision with a dash', [...SAMPLE, '--revision', '1-2'], "no '-'"],
    ['an invalid version', [...SAMPLE, 'latest'], 'not a version of Kubernetes: "latest"'],
    ['a version before 1.11', [...SAMPLE, '1.10.0'], '1.10'],
    ['a source that is not there', ['build', '--source', 'nowhere'], 'no such source: "nowhere"'],
    ['an empty --out', [...SAMPLE, '--out', ''], 'must not be empty'],
    ['nothing to inspect', ['inspect'], 'not enough arguments: got 0, expected at least 1'],
    ['only one package to compare', ['diff', 'a'], 'not enough arguments: got 1, expected at least 2'],
    ['an unknown choice', ['images', 'list'], 'invalid value: action "list"; expected "ls"'],
    ['conflicting flags', [...SAMPLE, '--fast', '--compression', 'xz'], 'cannot combine --fast with --compression'],
    ['an unknown subcommand', ['repo', 'ad'], 'unknown command: ad'],
    ['a missing subcommand', ['keys'], 'missing command: new, export, check or package'],
  ])('%s', async (_, args, message) => {
    const cwd = temporaryDirectory();
    await expectFailure(args, { cwd }, 2, message);
    expect(everythingIn(cwd)).toEqual([]);
  });
});

test('an architecture that is given twice counts once', async () => {
  const args = [...SAMPLE, '--arch', 'amd64', '--packages', 'kubectl', '--formats', 'deb', '--dry-run'];
  const text = await succeed(args, { cwd: temporaryDirectory() });
  expect(text).toContain('1 package from 1 artifact');
});

describe('the file system', () => {
  test.each([
    ['is a file', 'taken'],
    ['is below a file', 'taken/dist'],
  ])('an --out that %s', async (_, out) => {
    const cwd = temporaryDirectory();
    writeFileSync(join(cwd, 'taken'), 'mine');
    const text = await expectFailure([...SAMPLE, '--out', out], { cwd }, 7, /already exists|not a directory/);
    expect(text).toContain(`where: ${out}`);
  });

  // Root can write everywhere unless it has no capabilities (capabilities(7), CAP_DAC_OVERRIDE).
  const asRoot = process.getuid?.() === 0;
  test.skipIf(asRoot && !hasTool('setpriv'))('an --out that is not writable', async () => {
    const cwd = temporaryDirectory();
    mkdirSync(join(cwd, 'closed'));
    chmodSync(join(cwd, 'closed'), 0o555);
    const [program, ...words] = [...(asRoot ? ['setpriv', '--bounding-set=-all'] : []), process.execPath, MAIN];
    const { exitCode, stderr } = await execa(program, [...words, ...SAMPLE, '--out', 'closed'], {
      ...environment(cwd),
      reject: false,
    });
    expect(stderr).toContain('permission denied');
    expect(stderr).not.toMatch(/^\s+at /m);
    expect(exitCode).toBe(7);
    expect(everythingIn(join(cwd, 'closed'))).toEqual([]);
  });

  test('a cache that cannot be created', async () => {
    const cwd = temporaryDirectory();
    writeFileSync(join(cwd, 'file'), '');
    const text = await expectFailure(SAMPLE, { cwd, env: { XDG_CACHE_HOME: join(cwd, 'file') } }, 7, 'content store');
    expect(text).toContain('XDG_CACHE_HOME');
  });

  test('a limit on the file size, as set by a shell or a service', async () => {
    const cwd = temporaryDirectory();
    // In blocks of 512 bytes; the files of the payload are smaller, the packages are larger.
    const script = 'ulimit -f 4; exec "$@"';
    const command = ['-c', script, 'sh', process.execPath, MAIN, ...SAMPLE, '--compression', 'none'];
    const { exitCode, stderr } = await execa('sh', command, { ...environment(cwd), reject: false });
    expect(stderr).toContain('kubeparcel: file size limit exceeded');
    expect(stderr).not.toMatch(/^\s+at /m);
    expect(exitCode).toBe(7);
    expect(everythingIn(join(cwd, 'dist'))).toEqual([]);
  });

  const disk = temporaryDisk();
  test.skipIf(!disk.canMount)('a full disk, for the packages and for the cache', async () => {
    const cwd = temporaryDirectory();
    const small = disk.mount(cwd);
    const source = makeBinariesDirectory(join(cwd, 'release'), { kubelet: noise(2) });
    const build = ['build', '--source', source, '--arch', 'amd64', '--out', join(small, 'dist')];
    await expectFailure(build, { cwd }, 7, 'no space left');
    expect(
      everythingIn(join(small, 'dist')).filter((path) => path.startsWith('.') || path.includes('kubelet')),
    ).toEqual([]);
    const left = packagesIn(join(small, 'dist'));
    if (Object.keys(left).length > 0) {
      await execa('sha256sum', ['-c', 'SHA256SUMS'], { cwd: join(small, 'dist') });
    }
    const text = await expectFailure(build, { cwd, env: { XDG_CACHE_HOME: join(small, 'cache') } }, 7, 'no space left');
    expect(text).toContain('free some space');
    expect(everythingIn(join(small, 'cache', 'kubeparcel', 'tmp'))).toEqual([]);
  });

  test.skipIf(!disk.canMount)('a full disk, for a repository and for kubeparcel.yaml', async () => {
    const cwd = temporaryDirectory();
    const small = disk.mount(cwd);
    await succeed([...SAMPLE, '--packages', 'kubectl', '--formats', 'deb', '--arch', 'amd64'], { cwd });
    await succeed(['repo', 'add', join(small, 'site'), 'dist/kubectl_1.37.0-1_amd64.deb', '--unsigned'], { cwd });
    writeFileSync(join(cwd, 'large.deb'), Buffer.alloc(2 << 20, 'x'));
    const add = ['repo', 'add', join(small, 'site'), 'large.deb', '--unsigned'];
    const text = await expectFailure(add, { cwd }, 7, 'cannot copy the package into the repository (ENOSPC)');
    expect(text).toContain('free some space');
    await execa('sh', ['-c', `cat large.deb > ${join(small, 'rest')}`], { cwd, reject: false });
    await expectFailure(['init', join(small, 'kubeparcel.yaml')], { cwd }, 7, 'no space left');
    expect(everythingIn(small)).not.toContain('kubeparcel.yaml');
  });
});

/** A file system of 1 MiB, if the user can mount one. */
function temporaryDisk() {
  const mount = (directory: string) => {
    const path = join(directory, 'small');
    mkdirSync(path);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'kubeparcel-test', path], { stdio: 'pipe' });
    onTestFinished(() => void execFileSync('umount', [path]));
    return path;
  };
  return { canMount: process.getuid?.() === 0, mount };
}
