import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { debTree } from '../../src/deb/binary-layout.ts';
import { readDeb } from '../../src/deb/read.ts';
import { diffLayouts } from '../../src/layout/diff.ts';
import { writeTree } from '../../src/layout/tree.ts';
import { contentSha256 } from '../../src/model/content.ts';
import type { Entry, Layout } from '../../src/model/layout.ts';
import { relations, sampleLayout } from '../support/sample-layout.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { hasTool } from '../support/tools.ts';
import { byReference, noObjects, writeBytes } from '../unit/deb/packages.ts';

const missing = !hasTool('dpkg-deb') || !hasTool('tar') || !hasTool('dpkg');
const CODECS = ['gzip:6', 'xz:1', 'zstd:3', 'none'];

const LONG = `/opt/${'a-rather-long-name-'.repeat(8)}`;

/** A small package that uses every feature of a DEB. */
function fullLayout(): Layout {
  const sample = sampleLayout('deb');
  const base = { owner: 'root', group: 'root', mtime: sample.date - 100, role: 'plain' } as const;
  const bytes = (text: string) => ({ kind: 'memory', bytes: Buffer.from(text) }) as const;
  const entries: Entry[] = [
    ...sample.entries,
    { ...base, kind: 'directory', path: '/opt', mode: 0o755 },
    { ...base, kind: 'directory', path: LONG, mode: 0o750 },
    { ...base, kind: 'file', path: `${LONG}/setuid é`, mode: 0o4755, content: bytes('x'.repeat(1500)) },
    { ...base, kind: 'file', path: `${LONG}/empty`, mode: 0o600, content: bytes('') },
    { ...base, kind: 'symlink', path: `${LONG}/link`, mode: 0o777, target: `..${LONG}/setuid é` },
  ];
  const target = { name: 'other', constraint: { operator: '>=', version: '1:2~rc1-1' } } as const;
  return {
    ...sample,
    license: '',
    version: { epoch: 1, upstream: '1.37.0~rc.1', revision: '2' },
    architecture: 'all',
    source: 'kubernetes',
    multiArch: 'foreign',
    description: 'Runs pods.\n\n * verbatim\n   lines\nä ö',
    relations: relations({
      preDepends: [{ anyOf: [{ name: 'init-system-helpers' }] }],
      depends: [{ anyOf: [target, { name: 'another' }] }, { anyOf: [{ name: 'python3:any' }] }],
      recommends: [{ anyOf: [{ name: 'r' }] }],
      suggests: [{ anyOf: [{ name: 's' }] }],
      enhances: [{ anyOf: [{ name: 'e' }] }],
      conflicts: [{ anyOf: [{ name: 'c', constraint: { operator: '<<', version: '1' } }] }],
      breaks: [{ anyOf: [{ name: 'b', constraint: { operator: '<=', version: '1' } }] }],
      replaces: [{ anyOf: [{ name: 'c', constraint: { operator: '>>', version: '1' } }] }],
      provides: [{ anyOf: [{ name: 'p', constraint: { operator: '=', version: '1' } }] }],
    }),
    scripts: {
      preinst: { interpreter: '/bin/sh -e', body: 'exit 0\n' },
      postrm: { interpreter: '/bin/sh', body: 'set -e\nexit 0\n' },
    },
    entries: entries.sort((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path))),
  };
}

async function writePackage(layout: Layout, directory: string, compression: string): Promise<string> {
  const path = join(directory, 'written.deb');
  writeFileSync(path, await writeBytes(layout, directory, compression));
  return path;
}

const run = (command: string, ...args: string[]) => execFileSync(command, args, { encoding: 'utf8' });

describe.skipIf(missing).each(CODECS)('dpkg-deb and a package compressed with %s', (compression) => {
  test('reads every field', async () => {
    const path = await writePackage(fullLayout(), temporaryDirectory(), compression);
    const field = (name: string) => run('dpkg-deb', '--field', path, name).trimEnd();
    expect({
      Package: field('Package'),
      Source: field('Source'),
      Version: field('Version'),
      Architecture: field('Architecture'),
      Maintainer: field('Maintainer'),
      'Pre-Depends': field('Pre-Depends'),
      Depends: field('Depends'),
      Conflicts: field('Conflicts'),
      Breaks: field('Breaks'),
      Replaces: field('Replaces'),
      Provides: field('Provides'),
      'Multi-Arch': field('Multi-Arch'),
      Homepage: field('Homepage'),
      Description: field('Description'),
    }).toEqual({
      Package: 'kubelet',
      Source: 'kubernetes',
      Version: '1:1.37.0~rc.1-2',
      Architecture: 'all',
      Maintainer: 'Release Team <release@example.org>',
      'Pre-Depends': 'init-system-helpers',
      Depends: 'other (>= 1:2~rc1-1) | another, python3:any',
      Conflicts: 'c (<< 1)',
      Breaks: 'b (<= 1)',
      Replaces: 'c (>> 1)',
      Provides: 'p (= 1)',
      'Multi-Arch': 'foreign',
      Homepage: 'https://kubernetes.io',
      Description: 'Kubernetes node agent\n Runs pods.\n .\n  * verbatim\n    lines\n ä ö',
    });
    const info = spawnSync('dpkg-deb', ['--info', path], { encoding: 'utf8' });
    expect(info.stderr).toBe('');
    expect(info.stdout).toMatch(/\* {2}preinst +#!\/bin\/sh/);
  });

  test('lists every entry with its mode, owner and time', async () => {
    const layout: Layout = {
      ...fullLayout(),
      entries: fullLayout().entries.map((entry) => ({ ...entry, owner: 'kube', group: 'www-data' })),
    };
    const path = await writePackage(layout, temporaryDirectory(), compression);
    const root = 'drwxr-xr-x root/root 0 2025-10-09 08:53:20 ./';
    expect(listing(path)).toEqual([root, ...layout.entries.map((entry) => describeEntry(entry))]);
  });

  test('extracts the files unchanged', async () => {
    const directory = temporaryDirectory();
    const layout = fullLayout();
    const root = join(directory, 'root');
    run('dpkg-deb', '--extract', await writePackage(layout, directory, compression), root);
    expectOnDisk(layout, root);
  });

  test('builds an equal package from the tree', async () => {
    const directory = temporaryDirectory();
    const layout = fullLayout();
    const tree = join(directory, 'tree');
    await writeTree(tree, debTree(layout, md5Of(layout)), noObjects);
    const built = join(directory, 'built.deb');
    const flag = `-Z${compression.split(':')[0]}`;
    execFileSync('dpkg-deb', ['--root-owner-group', flag, '--build', tree, built], {
      env: { ...process.env, SOURCE_DATE_EPOCH: String(layout.date) },
    });
    const theirs = await readDeb(built);
    const ours = await readDeb(await writePackage(layout, directory, compression));
    expect(diffLayouts(ours.layout, theirs.layout)).toEqual([]);
    expect(theirs.layout).toEqual(byReference(layout));
    expect({ ...theirs, layout: 0 }).toEqual({ ...ours, layout: 0 });
  });

  test('dpkg installs it', async () => {
    const directory = temporaryDirectory();
    const layout: Layout = { ...fullLayout(), scripts: {}, relations: relations({}) };
    const root = join(directory, 'root');
    mkdirSync(join(root, 'var/lib/dpkg/updates'), { recursive: true });
    mkdirSync(join(root, 'var/lib/dpkg/info'), { recursive: true });
    writeFileSync(join(root, 'var/lib/dpkg/status'), '');
    const dpkg = (...args: string[]) =>
      run('dpkg', `--root=${root}`, '--force-not-root', '--force-bad-path', '--log=/dev/null', ...args);
    dpkg('--install', await writePackage(layout, directory, compression));
    expect(dpkg('--status', 'kubelet')).toContain('Status: install ok installed');
    expect(dpkg('--status', 'kubelet')).toContain('/etc/default/kubelet');
    expect(dpkg('--verify', 'kubelet')).toBe('');
    expectOnDisk(layout, root);
  });
});

describe.skipIf(missing)('packages of Debian', () => {
  const packages: [name: string, has: { config?: string; script?: 'postinst'; file?: string }][] = [
    ['hello', {}],
    // Conffiles and scripts.
    ['logrotate', { config: '/etc/logrotate.conf', script: 'postinst' }],
    // Hard links.
    ['perl-base', { file: '/usr/bin/perl' }],
    // Scripts that divert other packages' files.
    ['dash', { file: '/bin/dash' }],
  ];
  test.each(packages)('%s: the reader agrees with dpkg-deb', async (name, has) => {
    const directory = temporaryDirectory();
    const apt = spawnSync('apt-get', ['-q', '-o', 'APT::Sandbox::User=root', 'download', name], {
      cwd: directory,
      encoding: 'utf8',
    });
    const file = readdirSync(directory).find((each) => each.endsWith('.deb'));
    if (file === undefined) {
      if (process.env.CI) throw new Error(`apt-get download ${name} brought nothing: ${apt.stderr}`);
      return;
    }
    const path = join(directory, file);
    const { layout, metadata, digests } = await readDeb(path);
    const fields = run('dpkg-deb', '--field', path);
    expect(metadata.map(([field]) => field)).toEqual(
      fields
        .split('\n')
        .filter((line) => /^\S/.test(line))
        .map((line) => line.slice(0, line.indexOf(':'))),
    );
    for (const field of ['Depends', 'Version', 'Description']) {
      const value = metadata.find(([known]) => known === field)?.[1] ?? '';
      expect(value.replaceAll('\n', '\n ')).toBe(run('dpkg-deb', '--field', path, field).trimEnd());
    }
    const names = run('sh', '-c', 'dpkg-deb --fsys-tarfile "$1" | tar -t', 'sh', path).trimEnd().split('\n');
    expect(layout.entries.map((entry) => `.${entry.path}${entry.kind === 'directory' ? '/' : ''}`).sort()).toEqual(
      names.filter((each) => each !== './').sort(),
    );
    const root = join(directory, 'root');
    run('dpkg-deb', '--extract', path, root);
    expectOnDisk(layout, root);
    expect(digests.length).toBeGreaterThan(0);
    expect(layout.changelog[0]?.version).toMatch(/^\d/);
    expect(layout.entries.find((entry) => entry.path === has.config)?.role).toBe(has.config && 'config');
    expect(layout.entries.find((entry) => entry.path === has.file)?.kind).toBe(has.file && 'file');
    if (has.script !== undefined) {
      expect(layout.scripts[has.script]?.interpreter).toMatch(/^\/bin\/sh/);
    }
  });
});

/** The output of dpkg-deb --contents in the format of describeEntry. */
function listing(path: string): string[] {
  const tar = 'dpkg-deb --fsys-tarfile "$1" | tar -tv --full-time --utc --quoting-style=literal';
  return run('sh', '-c', tar, 'sh', path)
    .trimEnd()
    .split('\n')
    .map((line) => line.replace(/ +/g, ' '));
}

function describeEntry(entry: Entry): string {
  const size = entry.kind === 'file' && entry.content.kind === 'memory' ? entry.content.bytes.length : 0;
  const kind = { file: '-', directory: 'd', symlink: 'l' }[entry.kind];
  const bits = [...'rwxrwxrwx'].map((letter, index) => ((entry.mode >> (8 - index)) & 1 ? letter : '-'));
  if (entry.mode & 0o4000) bits[2] = 's';
  const time = new Date(entry.mtime * 1000).toISOString().replace('T', ' ').slice(0, 19);
  const name = `.${entry.path}${entry.kind === 'directory' ? '/' : ''}${entry.kind === 'symlink' ? ` -> ${entry.target}` : ''}`;
  return `${kind}${bits.join('')} ${entry.owner}/${entry.group} ${size} ${time} ${name}`;
}

function expectOnDisk(layout: Layout, root: string): void {
  for (const entry of layout.entries) {
    const path = join(root, entry.path);
    const found = lstatSync(path);
    expect(found.isDirectory() ? 'directory' : found.isSymbolicLink() ? 'symlink' : 'file', path).toBe(entry.kind);
    if (entry.kind === 'symlink') {
      expect(readlinkSync(path)).toBe(entry.target);
      continue;
    }
    expect(found.mode & 0o7777, path).toBe(entry.mode);
    if (entry.kind === 'file') {
      expect(found.mtimeMs / 1000, path).toBe(entry.mtime);
      expect(createHash('sha256').update(readFileSync(path)).digest('hex'), path).toBe(contentSha256(entry.content));
    }
  }
}

function md5Of(layout: Layout): (path: string) => string {
  return (path) => {
    const entry = layout.entries.find((each) => each.path === path);
    const bytes = entry?.kind === 'file' && entry.content.kind === 'memory' ? entry.content.bytes : new Uint8Array(0);
    return createHash('md5').update(bytes).digest('hex');
  };
}
