import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { diffLayouts } from '../../src/layout/diff.ts';
import { writeTree } from '../../src/layout/tree.ts';
import { contentSha256, contentSize } from '../../src/model/content.ts';
import type { Entry } from '../../src/model/layout.ts';
import { rpmTree } from '../../src/rpm/binary-layout.ts';
import { readRpm } from '../../src/rpm/read.ts';
import { objectsOf, pack } from '../support/rpm.ts';
import { fullLayout, query, run } from '../support/rpm-tools.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { hasTool } from '../support/tools.ts';

const COMPRESSIONS = [
  { codec: 'none', level: 0 },
  { codec: 'gzip', level: 9 },
  { codec: 'xz', level: 6 },
  { codec: 'zstd', level: 19 },
] as const;

/** A line of `rpm -q --dump` (rpm(8)). */
function dumpLine(entry: Entry): string {
  const isFile = entry.kind === 'file' && entry.role !== 'ghost';
  const size = isFile ? contentSize(entry.content) : entry.kind === 'symlink' ? entry.target.length : 0;
  const kind = { file: 0o100000, directory: 0o040000, symlink: 0o120000 }[entry.kind];
  return [
    entry.path,
    size,
    entry.mtime,
    isFile ? contentSha256(entry.content) : '0'.repeat(64),
    (kind | entry.mode).toString(8).replace(/^/, '0'),
    entry.owner,
    entry.group,
    entry.role === 'config' ? 1 : 0,
    entry.role === 'doc' ? 1 : 0,
    0,
    entry.kind === 'symlink' ? entry.target : 'X',
  ].join(' ');
}

describe.skipIf(!hasTool('rpm') || !hasTool('rpm2cpio') || !hasTool('cpio'))('rpm', () => {
  test.each(COMPRESSIONS)('verifies all digests of a package ($codec)', async (compression) => {
    const path = await pack(fullLayout(), temporaryDirectory(), compression);
    const lines = run(join(path, '..'), 'rpm', '--dbpath', join(path, '../db'), '-Kv', path).trim().split('\n');
    const digests = lines.slice(1).map((line) => line.trim());
    expect(digests).toEqual(
      expect.arrayContaining([
        'Header SHA256 digest: OK',
        'Header SHA1 digest: OK',
        'Payload SHA256 digest: OK',
        'MD5 digest: OK',
      ]),
    );
    expect(digests.filter((line) => !line.endsWith(': OK'))).toEqual([]);
  });

  test('shows the metadata of the layout', async () => {
    const layout = fullLayout();
    const path = await pack(layout, temporaryDirectory());
    const fields = {
      NEVRA: 'sample-2:1.37.0~rc.1-3.x86_64',
      SUMMARY: layout.summary,
      DESCRIPTION: layout.description.replaceAll('\n', '\\n'),
      LICENSE: layout.license,
      PACKAGER: layout.maintainer,
      URL: layout.homepage,
      GROUP: layout.section,
      BUILDTIME: String(layout.date),
      BUILDHOST: 'localhost',
      SOURCERPM: 'samples-1.37.0~rc.1-3.src.rpm',
      OS: 'linux',
      LONGSIZE: String(4 + 17 + 6 + 5 + 4097 + 3 + 1),
      PAYLOADFORMAT: 'cpio',
      PAYLOADCOMPRESSOR: 'gzip',
      PAYLOADFLAGS: '6',
      ENCODING: 'utf-8',
      FILEDIGESTALGO: '8',
      VENDOR: '(none)',
      OPTFLAGS: '(none)',
    };
    const format = Object.keys(fields)
      .map((tag) => `%{${tag}}~~`)
      .join('');
    const values = query(path, '--qf', `${format}\n`).join('\\n').split('~~').slice(0, -1);
    expect(Object.fromEntries(Object.keys(fields).map((tag, i) => [tag, values[i]]))).toEqual(fields);
  });

  test('shows the files of the layout', async () => {
    const layout = fullLayout();
    const path = await pack(layout, temporaryDirectory());
    expect(query(path, '--dump')).toEqual(layout.entries.map(dumpLine));
    const withFlag = (flag: string) =>
      query(path, '--qf', '[%{FILENAMES} %{FILEFLAGS:fflags}\n]')
        .filter((line) => line.split(' ').at(-1)?.includes(flag))
        .map((line) => line.slice(0, line.lastIndexOf(' ')));
    const ofRole = (role: string) => layout.entries.filter((entry) => entry.role === role).map((entry) => entry.path);
    expect(withFlag('c')).toEqual(ofRole('config'));
    expect(withFlag('n')).toEqual(ofRole('config'));
    expect(withFlag('g')).toEqual(ofRole('ghost'));
    expect(withFlag('d')).toEqual(ofRole('doc'));
    expect(withFlag('l')).toEqual(ofRole('license'));
  });

  test('shows the relations of the layout and those of every package', async () => {
    const path = await pack(fullLayout(), temporaryDirectory(), { codec: 'zstd', level: 3 });
    expect(query(path, '--requires')).toEqual([
      '(conntrack or conntrack-tools >= 1.4)',
      '(socat if podman)',
      '/bin/sh',
      '/bin/sh',
      '/sbin/ldconfig',
      '/usr/sbin/useradd',
      'config(sample) = 2:1.37.0~rc.1-3',
      'iptables',
      'rpmlib(BuiltinLuaScripts) <= 4.2.2-1',
      'rpmlib(CompressedFileNames) <= 3.0.4-1',
      'rpmlib(FileDigests) <= 4.6.0-1',
      'rpmlib(PayloadFilesHavePrefix) <= 4.0-1',
      'rpmlib(PayloadIsZstd) <= 5.4.18-1',
      'rpmlib(RichDependencies) <= 4.12.0-1',
      'rpmlib(ScriptletInterpreterArgs) <= 4.0.3-1',
      'rpmlib(TildeInVersions) <= 4.10.0-1',
      'shadow-utils >= 2:4.6',
      'util-linux > 2.30',
    ]);
    const pre = query(path, '--qf', '[%{REQUIRENAME} %{REQUIREFLAGS:deptype}\n]').filter((line) => / .*pre/.test(line));
    expect(pre).toEqual(['/bin/sh pre,interp', '/usr/sbin/useradd pre', 'shadow-utils pre']);
    expect(query(path, '--provides')).toEqual([
      'config(sample) = 2:1.37.0~rc.1-3',
      'plain-virtual',
      'sample = 2:1.37.0~rc.1-3',
      'sample(x86-64) = 2:1.37.0~rc.1-3',
      'virtual = 1.37',
    ]);
    expect(query(path, '--recommends')).toEqual(['cri-tools < 2']);
    expect(query(path, '--suggests')).toEqual(['containerd']);
    expect(query(path, '--enhances')).toEqual(['podman']);
    expect(query(path, '--supplements')).toEqual(['kubeadm = 1.37.0~rc.1-3']);
    expect(query(path, '--conflicts')).toEqual(['docker <= 1:20']);
    expect(query(path, '--obsoletes')).toEqual(['old-sample < 1']);
  });

  test.each(['x86_64', 'aarch64', 'ppc64le', 's390x', 'noarch'])(
    'agrees with rpmbuild on what %s is called',
    async (architecture) => {
      const path = await pack({ ...fullLayout(), architecture }, temporaryDirectory());
      const isa = run(join(path, '..'), 'rpm', '--target', `${architecture}-linux`, '--eval', '%{?_isa}').trim();
      expect(query(path, '--provides').includes(`sample${isa} = 2:1.37.0~rc.1-3`)).toBe(true);
      expect(query(path, '--provides').some((line) => /^sample\(/.test(line))).toBe(isa !== '');
      expect(query(path, '--qf', '%{ARCH}\n')).toEqual([architecture]);
    },
  );

  test('shows the scripts and the changelog of the layout', async () => {
    const path = await pack(fullLayout(), temporaryDirectory());
    expect(query(path, '--scripts')).toEqual([
      'preinstall scriptlet (using /bin/sh):',
      'exit 0',
      'postinstall scriptlet (using /bin/sh -e):',
      'echo "post: $1"',
      'echo 100%',
      'postuninstall program: /sbin/ldconfig',
      'posttrans scriptlet (using <lua>):',
      'print("done")',
    ]);
    expect(query(path, '--changelog')).toEqual([
      '* Wed Oct 08 2025 Release Team <release@example.org> - 2:1.37.0~rc.1-3',
      '- one',
      '- two: 100%',
      '',
      '* Mon Jun 16 2025 A. Person <a@example.org> - 2:1.36.0-1',
      '- older',
      '',
    ]);
  });

  test.each(COMPRESSIONS)('unpacks the payload without ghosts ($codec)', async (compression) => {
    const path = await pack(fullLayout(), temporaryDirectory(), compression);
    const directory = join(path, '..');
    run(directory, 'sh', '-c', `rpm2cpio '${path}' > payload.cpio`);
    const listed = run(directory, 'sh', '-c', 'cpio -t0 --quiet < payload.cpio').split('\0').slice(0, -1);
    const stated = fullLayout().entries.filter((entry) => entry.role !== 'ghost');
    expect(listed).toEqual(stated.map((entry) => `.${entry.path}`));
  });

  describe.skipIf(process.getuid?.() !== 0)('as root', () => {
    test.each(COMPRESSIONS)('installs, verifies and removes a package ($codec)', async (compression) => {
      const layout = fullLayout();
      const path = await pack(layout, temporaryDirectory(), compression);
      const directory = join(path, '..');
      const root = join(directory, 'root');
      mkdirSync(root);
      const rpm = (...args: string[]) => run(directory, 'rpm', '--root', root, '--dbpath', '/db', ...args);
      rpm('-i', '--nodeps', '--noscripts', path);
      expect(rpm('-V', '--nodeps', '--noscripts', 'sample')).toBe('');
      expect(readFileSync(join(root, 'usr/lib/sample-2'), 'utf8')).toBe('x'.repeat(4097));
      expect(existsSync(join(root, 'etc/sample/state'))).toBe(false);
      writeFileSync(join(root, 'etc/sample/config'), 'a=2\n');
      expect(() => rpm('-V', '--nodeps', '--noscripts', 'sample')).toThrow();
      rpm('-e', '--nodeps', '--noscripts', 'sample');
      expect(existsSync(join(root, 'usr/bin/sample'))).toBe(false);
      expect(readFileSync(join(root, 'etc/sample/config.rpmsave'), 'utf8')).toBe('a=2\n');
    });
  });

  test.skipIf(!hasTool('rpmbuild'))('rpmbuild builds an equal package from the exported layout', async () => {
    const layout = fullLayout();
    const directory = temporaryDirectory();
    const top = join(directory, 'top');
    await writeTree(top, rpmTree(layout), objectsOf());
    run(
      directory,
      'rpmbuild',
      '-bb',
      '--quiet',
      '--target',
      'x86_64-linux',
      '--define',
      `_topdir ${top}`,
      join(top, 'SPECS/sample.spec'),
    );
    const [native, built] = [await pack(layout, directory), join(top, 'RPMS/x86_64/sample-1.37.0~rc.1-3.x86_64.rpm')];
    const [left, right] = [await readRpm(native), await readRpm(built)];
    const differences = diffLayouts(left.layout, right.layout);
    // A spec file names the source after the package.
    expect(differences.map(({ what }) => what)).toEqual(['source']);
    const files =
      '[%{FILENAMES} %{FILEVERIFYFLAGS} %{FILEFLAGS} %{FILEMODES} %{FILEDEVICES} %{FILEINODES} %{FILERDEVS}\n]';
    expect(query(native, '--qf', files)).toEqual(query(built, '--qf', files));
    // The spec file disables rpmbuild's dependency generators, which also add config().
    const needs = (path: string) =>
      query(path, '--qf', '[%{REQUIRENEVRS} %{REQUIREFLAGS}\n][%{PROVIDENEVRS} %{PROVIDEFLAGS}\n]');
    expect(needs(native).filter((line) => !line.startsWith('config('))).toEqual(needs(built));
  });
});
