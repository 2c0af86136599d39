import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Layout } from '../../src/model/layout.ts';
import { readRpm } from '../../src/rpm/read.ts';
import { pack, sha256 } from '../support/rpm.ts';
import { fullLayout, run } from '../support/rpm-tools.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { hasTool } from '../support/tools.ts';

const SPEC = `
Name: others
Version: 1.0~rc1
Release: 2
Epoch: 3
Summary: A package of rpmbuild
License: MIT
URL: https://example.org
Vendor: Someone
Requires: foo >= 1.2, (a or b >= 1), (c if d), glibc(x86-64)
Requires(pre): /usr/sbin/useradd
Requires(post): systemd
Requires: systemd
Provides: bundled(thing) = 5
Obsoletes: old < 4
%description
One.

Two.
%install
mkdir -p %{buildroot}/usr/bin %{buildroot}/etc/others %{buildroot}/usr/share/doc/others %{buildroot}/var/lib/others
echo 'hi there' > %{buildroot}/usr/bin/first; chmod 755 %{buildroot}/usr/bin/first
ln %{buildroot}/usr/bin/first %{buildroot}/usr/bin/second
ln %{buildroot}/usr/bin/first %{buildroot}/usr/bin/third
ln -s first %{buildroot}/usr/bin/link
echo conf > %{buildroot}/etc/others/c.conf
echo license > %{buildroot}/usr/share/doc/others/LICENSE
echo doc > %{buildroot}/usr/share/doc/others/README
: > %{buildroot}/etc/others/empty
%pre
exit 0
%post -p /sbin/ldconfig
%postun -p <lua>
print("x")
%triggerin -p /usr/bin/perl -- bash > 4
print "triggered"
%files
/usr/bin/*
%dir /etc/others
%config(noreplace) /etc/others/c.conf
%config /etc/others/empty
%ghost %attr(0600, root, adm) /etc/others/ghost
%dir %attr(0700, daemon, root) /var/lib/others
%license /usr/share/doc/others/LICENSE
/usr/share/doc/others/README
%changelog
* Thu Jan 05 2023 A B <a@example.org> - 3:1.0~rc1-2
- one
  goes on
- two
* Wed Jan 04 2023 A B <a@example.org> 3:1.0-1
- zero
* Tue Jan 03 2023 A B <a@example.org>
- first
`;

/** Builds the package of the spec and returns its path. */
function build(directory: string, spec: string, macros: Readonly<Record<string, string>> = {}): string {
  mkdirSync(join(directory, 'top'), { recursive: true });
  writeFileSync(join(directory, 'others.spec'), spec);
  const defines = Object.entries({ _topdir: join(directory, 'top'), ...macros }).flatMap(([name, value]) => [
    '--define',
    `${name} ${value}`,
  ]);
  run(directory, 'rpmbuild', '-bb', '--quiet', '--target', 'x86_64-linux', ...defines, 'others.spec');
  return join(directory, 'top/RPMS/x86_64/others-1.0~rc1-2.x86_64.rpm');
}

const target = (name: string, operator?: '<<' | '<=' | '=' | '>=' | '>>', version?: string) =>
  operator === undefined || version === undefined ? { name } : { name, constraint: { operator, version } };
const one = (...facts: Parameters<typeof target>) => ({ anyOf: [target(...facts)] });

function paths(layout: Layout, role: string): string[] {
  return layout.entries.filter((entry) => entry.role === role).map(({ path }) => path);
}

describe.skipIf(!hasTool('rpmbuild'))('packages of rpmbuild', () => {
  test('give the layout without what rpmbuild adds to every package', async () => {
    const { layout, metadata } = await readRpm(build(temporaryDirectory(), SPEC));
    expect(layout).toMatchObject({
      name: 'others',
      version: { epoch: 3, upstream: '1.0~rc1', revision: '2' },
      architecture: 'x86_64',
      description: 'One.\n\nTwo.',
      license: 'MIT',
      homepage: 'https://example.org',
      section: '',
      source: 'others',
    });
    expect(layout.relations).toMatchObject({
      preDepends: [one('/usr/sbin/useradd')],
      depends: [
        { anyOf: [target('a'), target('b', '>=', '1')] },
        one('(c if d)'),
        one('foo', '>=', '1.2'),
        one('glibc(x86-64)'),
        one('systemd'),
      ],
      provides: [one('bundled(thing)', '=', '5')],
      replaces: [one('old', '<<', '4')],
      conflicts: [],
      recommends: [],
    });
    expect(layout.scripts).toEqual({
      pre: { interpreter: '/bin/sh', body: 'exit 0' },
      post: { interpreter: '/sbin/ldconfig', body: '' },
      postun: { interpreter: '<lua>', body: 'print("x")' },
    });
    expect(layout.changelog).toEqual([
      { date: 1_672_920_000, author: 'A B <a@example.org>', version: '3:1.0~rc1-2', changes: ['one goes on', 'two'] },
      { date: 1_672_833_600, author: 'A B <a@example.org>', version: '3:1.0-1', changes: ['zero'] },
      { date: 1_672_747_200, author: 'A B <a@example.org>', version: '', changes: ['first'] },
    ]);
    const tags = new Map(metadata);
    expect(tags.get('TRIGGERNAME')).toBe('bash');
    expect(tags.get('TRIGGERSCRIPTS')).toBe('print "triggered"');
    expect(tags.get('TRIGGERFLAGS')).toMatch(/^>/);
    expect(tags.get('VENDOR')).toBe('Someone');
  });

  test.each(['w9.gzdio', 'w6.xzdio', 'w3.zstdio', 'w.ufdio'])('give all files (%s)', async (payload) => {
    const { layout } = await readRpm(build(temporaryDirectory(), SPEC, { _binary_payload: payload }));
    expect(layout.entries.map(({ path, kind }) => `${kind} ${path}`)).toEqual([
      'directory /etc/others',
      'file /etc/others/c.conf',
      'file /etc/others/empty',
      'file /etc/others/ghost',
      'file /usr/bin/first',
      'symlink /usr/bin/link',
      'file /usr/bin/second',
      'file /usr/bin/third',
      'file /usr/share/doc/others/LICENSE',
      'file /usr/share/doc/others/README',
      'directory /var/lib/others',
    ]);
    expect(paths(layout, 'ghost')).toEqual(['/etc/others/ghost']);
    expect(paths(layout, 'config')).toEqual(['/etc/others/c.conf', '/etc/others/empty']);
    expect(paths(layout, 'license')).toEqual(['/usr/share/doc/others/LICENSE']);
    expect(paths(layout, 'doc')).toEqual(['/usr/share/doc/others/README']);
    const content = Buffer.from('hi there\n');
    for (const name of ['first', 'second', 'third']) {
      expect(layout.entries.find(({ path }) => path === `/usr/bin/${name}`)).toMatchObject({
        mode: 0o755,
        content: { kind: 'stored', sha256: sha256(content), size: content.length },
      });
    }
    expect(layout.entries.at(-1)).toMatchObject({ mode: 0o700, owner: 'daemon', group: 'root' });
    expect(layout.entries.find(({ role }) => role === 'ghost')).toMatchObject({ mode: 0o600, group: 'adm' });
  });

  test('may have MD5 digests of files, as before rpm 4.6', async () => {
    const path = build(temporaryDirectory(), SPEC, { _binary_filedigest_algorithm: '1' });
    const { layout, metadata } = await readRpm(path);
    expect(new Map(metadata).get('FILEDIGESTALGO')).toBeUndefined();
    expect(layout.entries.find(({ path: name }) => name === '/etc/others/c.conf')).toMatchObject({
      content: { sha256: sha256(Buffer.from('conf\n')) },
    });
  });

  test.each([
    ['w9.bzdio', 'bzip2'],
    ['w6.lzdio', 'lzma'],
  ])('are refused by name of a codec that is not read (%s)', async (payload, name) => {
    const path = build(temporaryDirectory(), SPEC, { _binary_payload: payload });
    await expect(readRpm(path)).rejects.toMatchObject({
      kind: 'format',
      message: expect.stringContaining(name),
      where: path,
    });
  });

  test('are rejected if they are source packages', async () => {
    const directory = temporaryDirectory();
    build(directory, SPEC);
    run(directory, 'rpmbuild', '-bs', '--quiet', '--define', `_topdir ${join(directory, 'top')}`, 'others.spec');
    const path = join(directory, 'top/SRPMS/others-1.0~rc1-2.src.rpm');
    await expect(readRpm(path)).rejects.toMatchObject({ kind: 'format', message: expect.stringContaining('source') });
  });

  test.skipIf(!hasTool('gpg') || !hasTool('rpmsign'))(
    'and of the native writer can be read when they are signed',
    async () => {
      const directory = temporaryDirectory();
      const home = join(directory, 'gnupg');
      mkdirSync(home, { mode: 0o700 });
      const gpg = run(directory, 'sh', '-c', 'command -v gpg').trim();
      run(
        directory,
        gpg,
        '--homedir',
        home,
        '--batch',
        '--quiet',
        '--passphrase',
        '',
        '--quick-gen-key',
        'tester',
        'rsa2048',
      );
      const settings = ['_gpg_name tester', `_gpg_path ${home}`, `__gpg ${gpg}`].flatMap((macro) => [
        '--define',
        macro,
      ]);
      const database = ['--dbpath', join(directory, 'db')];
      run(directory, 'sh', '-c', `'${gpg}' --homedir '${home}' --armor --export > key.asc`);
      run(directory, 'rpmkeys', ...database, '--import', 'key.asc');
      for (const path of [await pack(fullLayout(), directory), build(directory, SPEC)]) {
        const before = await readRpm(path);
        for (const options of [[], ['--rpmv3']]) {
          const signed = join(directory, 'signed.rpm');
          copyFileSync(path, signed);
          run(directory, 'rpmsign', '--addsign', ...options, ...settings, signed);
          const { layout, metadata } = await readRpm(signed);
          expect(layout).toEqual(before.layout);
          const names = metadata.map(([name]) => name);
          expect(run(directory, 'rpmkeys', ...database, '-K', signed)).toContain('digests signatures OK');
          expect(names).toContain('RSAHEADER');
          expect(names.includes('SIGPGP')).toBe(options.length > 0);
        }
      }
      run(directory, 'gpgconf', '--homedir', home, '--kill', 'all');
    },
  );
});
