import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { openStore } from '../../../src/payload/store/content-store.ts';
import { unpackArchive } from '../../../src/payload/unpack.ts';
import { makeTar, makeTgz, type TarMember } from '../../support/binaries.ts';
import { objectsIn } from '../../support/release-fixture.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

async function* chunked(bytes: Uint8Array, size = 1000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function unpack(archive: Uint8Array, limits?: { members: number; bytes: number }) {
  const directory = temporaryDirectory();
  const store = await openStore(directory);
  const staged = () => readdirSync(join(directory, 'tmp'));
  try {
    const members = await unpackArchive(chunked(archive), store, 'x.tgz', limits);
    for (const member of members) await member.staged.commit();
    return members.map(({ name, executable, staged: { size } }) => ({ name, executable, size }));
  } finally {
    expect(staged()).toEqual([]);
  }
}

/** A member with a pax header before it (POSIX.1-2017). */
function paxHeader(path: string, value: string): TarMember[] {
  const record = (length: number): string => {
    const text = `${length} path=${value}\n`;
    return text.length === length ? text : record(text.length);
  };
  return [{ path: 'PaxHeaders/x', body: record(0) }, { path }];
}

test('files are sorted and have their execute bits', async () => {
  const archive = makeTgz([
    { path: './', type: 'Directory' },
    { path: './portmap', body: Buffer.alloc(70_000, 1) },
    { path: './bridge', body: 'b', mode: 0o755 },
    { path: 'LICENSE', body: 'text', mode: 0o644 },
    { path: 'empty', mode: 0o644 },
  ]);
  expect(await unpack(archive)).toEqual([
    { name: 'LICENSE', executable: false, size: 4 },
    { name: 'bridge', executable: true, size: 1 },
    { name: 'empty', executable: false, size: 0 },
    { name: 'portmap', executable: true, size: 70_000 },
  ]);
});

test('a pax header sets the name of the next file', async () => {
  const tar = makeTar(paxHeader('short', 'bridge'));
  tar.write('x', 156);
  // The checksum covers the type flag: '0' became 'x'.
  const checksum = Number.parseInt(tar.toString('latin1', 148, 154), 8) + 'x'.charCodeAt(0) - '0'.charCodeAt(0);
  tar.write(`${checksum.toString(8).padStart(6, '0')}\0 `, 148);
  expect(await unpack(gzipSync(tar))).toEqual([{ name: 'bridge', executable: true, size: 0 }]);
});

describe('a hostile archive is refused and leaves nothing behind', () => {
  const good: TarMember = { path: 'bridge', body: 'good' };
  test.each<[string, readonly TarMember[], string]>([
    ['a path outside', [good, { path: '../../etc/passwd', body: 'x' }], 'leads outside'],
    ['a path outside, hidden', [good, { path: './a/../../b', body: 'x' }], 'leads outside'],
    ['an absolute path', [good, { path: '/etc/passwd', body: 'x' }], 'leads outside'],
    ['a directory outside', [good, { path: '../x/', type: 'Directory' }], 'leads outside'],
    ['backslashes', [good, { path: '..\\x', body: 'x' }], 'leads outside'],
    ['a directory with a file', [good, { path: 'sub/bridge', body: 'x' }], 'only plain names'],
    ['a hidden file', [good, { path: '.bashrc', body: 'x' }], 'only plain names'],
    ['a symbolic link', [good, { path: 'portmap', type: 'SymbolicLink', linkpath: '/bin/sh' }], 'is a symlink'],
    ['a hard link', [good, { path: 'portmap', type: 'Link', linkpath: 'bridge' }], 'is a hardlink'],
    ['a character device', [good, { path: 'null', type: 'CharacterDevice' }], 'a character device'],
    ['a block device', [good, { path: 'sda', type: 'BlockDevice' }], 'a block device'],
    ['a pipe', [good, { path: 'pipe', type: 'FIFO' }], 'a named pipe'],
    ['a file twice', [good, { path: './bridge', body: 'evil' }], 'bridge twice'],
    ['nothing', [], 'empty'],
  ])('%s', async (_, members, message) => {
    await expect(unpack(makeTgz(members))).rejects.toMatchObject({
      kind: 'format',
      where: 'x.tgz',
      message: expect.stringContaining(message),
    });
  });

  const archive = makeTgz([good, { path: 'portmap', body: Buffer.alloc(50_000, 7) }]);
  const tar = makeTar([good, { path: 'portmap', body: Buffer.alloc(50_000, 7) }]);
  test.each<[string, Uint8Array, string]>([
    ['not gzip', tar, 'gzip'],
    ['truncated gzip', archive.subarray(0, -20), 'gzip'],
    ['gzip with a wrong checksum', Buffer.concat([archive.subarray(0, -8), Buffer.alloc(8)]), 'gzip'],
    ['a truncated member', gzipSync(tar.subarray(0, 20_000)), 'truncated'],
    ['a truncated header', gzipSync(tar.subarray(0, 1100)), 'truncated'],
    ['bytes after the end', gzipSync(Buffer.concat([tar, Buffer.from('more')])), 'follow the end'],
    ['a wrong header checksum', gzipSync(Buffer.concat([Buffer.from('x'), tar.subarray(1)])), 'damaged'],
    ['a web page', gzipSync('<html>'.repeat(200)), 'damaged'],
  ])('%s', async (_, bytes, message) => {
    await expect(unpack(bytes)).rejects.toMatchObject({ kind: 'format', message: expect.stringContaining(message) });
  });

  test('too many members, too many bytes', async () => {
    const many = Array.from({ length: 20 }, (_, i): TarMember => ({ path: `p${i}`, body: 'x' }));
    await expect(unpack(makeTgz(many), { members: 10, bytes: 1 << 20 })).rejects.toMatchObject({
      message: expect.stringContaining('more than 10 members'),
    });
    const bomb = makeTgz([{ path: 'zeros', body: Buffer.alloc(8 << 20) }]);
    expect(bomb.length).toBeLessThan(100_000);
    await expect(unpack(bomb, { members: 10, bytes: 1 << 20 })).rejects.toMatchObject({
      message: expect.stringContaining('exceeds 1048576 bytes'),
    });
  });

  test('any damage gives files or a format error', async () => {
    const directory = temporaryDirectory();
    const store = await openStore(directory);
    await fc.assert(
      fc.asyncProperty(fc.nat(2600), fc.nat(255), async (at, value) => {
        const damaged = Buffer.from(tar);
        damaged[at] = value;
        try {
          const members = await unpackArchive(chunked(gzipSync(damaged, { level: 1 })), store, 'x.tgz');
          for (const { name, staged } of members) {
            expect(name).toMatch(/^[A-Za-z0-9][A-Za-z0-9._+-]*$/);
            await staged.discard();
          }
        } catch (error) {
          expect(error).toMatchObject({ name: 'KubeparcelError', kind: 'format' });
        }
        expect(readdirSync(join(directory, 'tmp'))).toEqual([]);
      }),
      { numRuns: 150 },
    );
    expect(objectsIn(directory)).toEqual([]);
  });
});
