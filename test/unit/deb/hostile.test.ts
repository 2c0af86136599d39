import { gzipSync } from 'node:zlib';
import { Header } from 'tar';
import { describe, expect, test } from 'vitest';
import { type ArMember, writeAr } from '../../../src/archive/ar.ts';
import { collect } from '../../../src/archive/chunks.ts';
import { readDeb } from '../../../src/deb/read.ts';
import type { Layout } from '../../../src/model/layout.ts';
import { KubeparcelError } from '../../../src/support/errors.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { readBytes } from './packages.ts';

type Member = {
  path: string;
  type?: 'File' | 'Directory' | 'SymbolicLink' | 'Link' | 'FIFO';
  text?: string;
  linkpath?: string;
};

/** A tar archive without any validation of its members. */
function tar(...members: Member[]): Buffer {
  const blocks = members.flatMap(({ path, type = 'File', text = '', linkpath = '' }) => {
    const block = Buffer.alloc(512);
    const size = Buffer.byteLength(text);
    new Header({ path, type, size, linkpath, mode: 0o644, uid: 0, gid: 0, mtime: new Date(1e12) }).encode(block);
    const content = Buffer.alloc(Math.ceil(size / 512) * 512);
    content.write(text);
    return [block, content];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

const CONTROL = 'Package: x\nVersion: 1-1\nArchitecture: all\nMaintainer: A <a@b>\nDescription: x\n';
const control = (text = CONTROL, ...more: Member[]) => tar({ path: './control', text }, ...more);
const file = (name: string, bytes: Uint8Array): ArMember => ({ name, size: bytes.length, content: [bytes] });
const BINARY = file('debian-binary', Buffer.from('2.0\n'));

async function deb(...members: ArMember[]): Promise<Uint8Array> {
  return collect(writeAr(members, 1e9), 1 << 30, () => new Error('the test wrote more than 1 GiB'));
}
const withControl = (text: string, ...more: Member[]) =>
  deb(BINARY, file('control.tar', control(text, ...more)), file('data.tar', tar()));
const withData = (...members: Member[]) =>
  deb(BINARY, file('control.tar', control()), file('data.tar', tar(...members)));

async function read(bytes: Uint8Array): Promise<Layout> {
  return (await readBytes(bytes, temporaryDirectory())).layout;
}

describe('rejects', () => {
  const cases: [string, () => Promise<Uint8Array>, RegExp][] = [
    ['an ar archive of another kind', () => deb(file('a.o', Buffer.of(1))), /not a DEB package/],
    [
      'an unknown format version',
      () => deb(file('debian-binary', Buffer.from('3.0\n'))),
      /unsupported version of the DEB format/,
    ],
    ['a package without members', () => deb(BINARY), /no control\.tar/],
    ['no data.tar', () => deb(BINARY, file('control.tar', control())), /no data\.tar/],
    [
      'data.tar first',
      () => deb(BINARY, file('data.tar', tar()), file('control.tar', control())),
      /unexpected member "data.tar"/,
    ],
    [
      'two control.tar',
      () => deb(BINARY, file('control.tar', control()), file('control.tar', control())),
      /unexpected member "control.tar"/,
    ],
    [
      'two data.tar',
      () => deb(BINARY, file('control.tar', control()), file('data.tar', tar()), file('data.tar', tar())),
      /unexpected member "data.tar"/,
    ],
    ['an unknown member', () => deb(BINARY, file('extra', tar())), /unexpected member "extra"/],
    ['bzip2', () => deb(BINARY, file('control.tar.bz2', Buffer.from('BZh9'))), /unsupported compression: bzip2/],
    [
      'lzma',
      () => deb(BINARY, file('control.tar', control()), file('data.tar.lzma', Buffer.from('x'))),
      /unsupported compression: lzma/,
    ],
    [
      'a suffix of another codec',
      () => deb(BINARY, file('control.tar.xz', gzipSync(control()))),
      /suffix of the member means xz, but its content is gzip/,
    ],
    ['a path with ..', () => withData({ path: './usr/../../etc/passwd' }), /invalid path or one outside the package/],
    ['a path that is only ..', () => withData({ path: '..' }), /invalid path or one outside the package/],
    ['an absolute path', () => withData({ path: '/etc/passwd' }), /invalid path or one outside the package/],
    ['a double slash', () => withData({ path: './usr//bin' }), /invalid path or one outside the package/],
    ['a line feed in a name', () => withData({ path: './a\nb' }), /invalid path or one outside the package/],
    [
      'a path below a symbolic link',
      () => withData({ path: './a', type: 'SymbolicLink', linkpath: '/etc' }, { path: './a/b' }),
      /is not a directory, but contains this path/,
    ],
    [
      'a path below a file that is not the previous entry',
      () => withData({ path: './a' }, { path: './a-b' }, { path: './a/b/c' }),
      /is not a directory, but contains this path/,
    ],
    ['a file twice', () => withData({ path: './a' }, { path: 'a' }), /twice/],
    [
      'a hard link out of the package',
      () => withData({ path: './a', type: 'Link', linkpath: '../../etc/passwd' }),
      /invalid path or one outside the package/,
    ],
    ['a hard link to a missing file', () => withData({ path: './a', type: 'Link', linkpath: './b' }), /hard link/],
    ['a named pipe', () => withData({ path: './a', type: 'FIFO' }), /named pipe/],
    ['a symbolic link without a target', () => withData({ path: './a', type: 'SymbolicLink' }), /empty target/],
    ['no control file', () => deb(BINARY, file('control.tar', tar()), file('data.tar', tar())), /no control file/],
    ['two control files', () => withControl(CONTROL, { path: 'control', text: CONTROL }), /a duplicate/],
    ['a control file in a subdirectory', () => withControl(CONTROL, { path: './a/b' }), /in a subdirectory/],
    [
      'a symbolic link in control.tar',
      () => withControl(CONTROL, { path: './postinst', type: 'SymbolicLink', linkpath: '/x' }),
      /not a regular file/,
    ],
    ['a second stanza', () => withControl(`${CONTROL}\nPackage: y\n`), /line 6/],
    ['a field twice', () => withControl(`${CONTROL}package: y\n`), /line 6/],
    ['a line outside a field', () => withControl(`oops\n${CONTROL}`), /line 1/],
    ['no version', () => withControl(CONTROL.replace(/Version.*\n/, '')), /field Version is missing or invalid/],
    ['an invalid version', () => withControl(CONTROL.replace('1-1', 'one')), /not a valid Debian version/],
    [
      'a name with a slash',
      () => withControl(CONTROL.replace('Package: x', 'Package: ../x')),
      /field Package is missing or invalid/,
    ],
    ['an invalid relation', () => withControl(`${CONTROL}Depends: a (>> )\n`), /invalid relation/],
    ['an invalid operator', () => withControl(`${CONTROL}Depends: a (=> 1)\n`), /invalid relation/],
    [
      'a conffile that is not in the package',
      () => withControl(CONTROL, { path: 'conffiles', text: '/etc/x\n' }),
      /conffile is not in the package/,
    ],
    [
      'an MD5 of a file that is not in the package',
      () => withControl(CONTROL, { path: 'md5sums', text: `${'0'.repeat(32)}  x\n` }),
      /file in md5sums is not in the package/,
    ],
    ['an invalid line in md5sums', () => withControl(CONTROL, { path: 'md5sums', text: 'x  y\n' }), /invalid line/],
  ];
  test.each(cases)('%s', async (_, bytes, message) => {
    const error = await read(await bytes()).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(KubeparcelError);
    expect(error).toMatchObject({ kind: 'format', message: expect.stringMatching(message) });
    expect((error as KubeparcelError).where).toContain('package.deb');
  });

  test('a data.tar that exceeds the size limit', async () => {
    const bomb = gzipSync(tar({ path: './zeros', text: '\0'.repeat(2_000_000) }));
    const bytes = await deb(BINARY, file('control.tar', control()), file('data.tar.gz', bomb));
    const directory = temporaryDirectory();
    await readBytes(bytes, directory);
    await expect(readDeb(`${directory}/package.deb`, { maxUnpackedBytes: 1_000_000 })).rejects.toMatchObject({
      kind: 'format',
      message: 'decompressed size exceeds 1000000 bytes',
      where: `${directory}/package.deb: data.tar.gz`,
    });
  });

  test('a control.tar of more than 16 MiB', async () => {
    const bomb = gzipSync(control(CONTROL, { path: './templates', text: '\0'.repeat(17 << 20) }));
    await expect(read(await deb(BINARY, file('control.tar.gz', bomb)))).rejects.toThrow('decompressed size exceeds');
  });

  test('a changelog of more than 16 MiB', async () => {
    const bomb = gzipSync(Buffer.alloc(17 << 20)).toString('latin1');
    const block = tar({ path: './usr/share/doc/x/changelog.gz', text: 'x'.repeat(Buffer.byteLength(bomb, 'latin1')) });
    Buffer.from(bomb, 'latin1').copy(block, 512);
    const bytes = await deb(BINARY, file('control.tar', control()), file('data.tar', block));
    await expect(read(bytes)).rejects.toThrow('decompressed size exceeds');
  });

  test('a missing package', async () => {
    await expect(readDeb('/nowhere/at/all.deb')).rejects.toMatchObject({ kind: 'io', where: '/nowhere/at/all.deb' });
  });
});

describe('reads packages of other tools', () => {
  test('members whose names begin with an underscore are ignored', async () => {
    const signed = [BINARY, file('_x', Buffer.of(1)), file('control.tar', control()), file('data.tar', tar())];
    expect((await read(await deb(...signed, file('_gpgorigin', Buffer.of(1))))).name).toBe('x');
  });

  test('hard links become files with the same content', async () => {
    const { entries } = await read(
      await withData({ path: './a', text: 'same' }, { path: './b', type: 'Link', linkpath: './a' }),
    );
    expect(entries.map(({ path, kind }) => [path, kind])).toEqual([
      ['/a', 'file'],
      ['/b', 'file'],
    ]);
    const [a, b] = entries;
    expect(a?.kind === 'file' && b?.kind === 'file' && a.content).toEqual(b?.kind === 'file' && b.content);
  });

  test('md5sums with an escaped backslash in a name', async () => {
    const sums = '\\9a0364b9e99bb480dd25e1f0284c8555  a\\\\b\n';
    const bytes = await deb(
      BINARY,
      file('control.tar', control(CONTROL, { path: 'md5sums', text: sums })),
      file('data.tar', tar({ path: './a\\b', text: 'content' })),
    );
    expect((await read(bytes)).entries.map(({ path }) => path)).toEqual(['/a\\b']);
  });

  test('obsolete operators, qualified names, a source with a version, a native version', async () => {
    const text = `${CONTROL.replace('1-1', '1:2.0')}Source: y (2)\nDepends: a(<1),b:any (= 2) |c\n,\nMulti-Arch: no\n`;
    const layout = await read(await withControl(text.replace('\n,', ',')));
    expect(layout).toMatchObject({
      source: 'y',
      version: { epoch: 1, upstream: '2.0', revision: '' },
      relations: {
        depends: [
          { anyOf: [{ name: 'a', constraint: { operator: '<=', version: '1' } }] },
          { anyOf: [{ name: 'b:any', constraint: { operator: '=', version: '2' } }, { name: 'c' }] },
        ],
      },
    });
    expect(layout.multiArch).toBeUndefined();
  });

  test('a binary in place of a maintainer script', async () => {
    const layout = await read(await withControl(CONTROL, { path: './preinst', text: '\x7fELF\0' }));
    expect(layout.scripts.preinst).toEqual({ interpreter: '', body: '\x7fELF\0' });
  });
});
