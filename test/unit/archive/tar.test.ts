import { describe, expect, test } from 'vitest';
import { collect } from '../../../src/archive/chunks.ts';
import { type TarEntry, writeTar } from '../../../src/archive/tar.ts';
import { readTar, type TarMember } from '../../../src/archive/tar-reader.ts';
import { KubeparcelError } from '../../../src/support/errors.ts';

const all = async (chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>) =>
  Buffer.from(await collect(chunks, 64 << 20, () => new Error('too much')));

const base = { mode: 0o644, owner: 'root', group: 'root', mtime: 1_700_000_000 };
const file = (path: string, text = '') =>
  ({ ...base, kind: 'file', path, size: text.length, content: [Buffer.from(text)] }) as const;

async function members(bytes: Uint8Array): Promise<(Omit<TarMember, 'content'> & { text?: string })[]> {
  const read = [];
  for await (const member of readTar([bytes])) {
    if (member.kind === 'file') {
      const { content, ...rest } = member;
      read.push({ ...rest, text: String(await all(content)) });
    } else {
      read.push(member);
    }
  }
  return read;
}

/** Changes a field of the first header and updates the checksum. */
function forge(archive: Buffer, offset: number, field: string | Buffer): Buffer {
  const forged = Buffer.from(archive);
  Buffer.from(field as string, 'latin1').copy(forged, offset);
  forged.fill(' ', 148, 156);
  const sum = forged.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  forged.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return forged;
}

test('written entries can be read back', async () => {
  const long = `./${'long/'.repeat(60)}name`;
  const entries: TarEntry[] = [
    { ...base, kind: 'directory', path: './usr/', mode: 0o755 },
    { ...file('./usr/file', 'text'), owner: 'kube', group: 'www-data', mode: 0o4755 },
    { ...base, kind: 'symlink', path: './usr/link', mode: 0o777, target: 'file' },
    file(long, 'of a long name'),
    { ...base, kind: 'symlink', path: `${long}-link`, mode: 0o777, target: long },
    file(`./${'é'.repeat(49)}`),
    file(`./${'é'.repeat(50)}`),
    file('./after', 'x'.repeat(512)),
  ];
  const read = await members(await all(writeTar(entries)));
  expect(read).toEqual(
    entries.map((entry) => {
      if (entry.kind !== 'file') {
        return { ...entry, path: entry.path.replace(/\/$/, '') };
      }
      const { content, ...rest } = entry;
      return { ...rest, text: String(Buffer.concat(content as Buffer[])) };
    }),
  );
});

test('a content that is longer or shorter than its size is an error', async () => {
  for (const size of [3, 5]) {
    await expect(all(writeTar([{ ...file('./a', 'text'), size }]))).rejects.toMatchObject({ kind: 'verification' });
  }
});

test('sizes beyond 8 GiB are written in base 256', async () => {
  const size = 9 * 2 ** 30;
  const [header] = [await writeTar([{ ...base, kind: 'file', path: './big', size, content: [] }]).next()];
  const block = Buffer.from(header.value as Uint8Array);
  expect(block[124]).toBe(0x80);
  expect(block.readBigUInt64BE(128)).toBe(BigInt(size));
  const reader = readTar([block]);
  expect((await reader.next()).value).toMatchObject({ kind: 'file', size });
  await reader.return();
});

describe('rejects', async () => {
  const archive = await all(writeTar([file('./a', 'text')]));
  const cases: [string, Buffer][] = [
    ['a wrong checksum', Buffer.concat([Buffer.from('.x'), archive.subarray(2)])],
    ['a character device', forge(archive, 156, '3')],
    ['a block device', forge(archive, 156, '4')],
    ['a named pipe', forge(archive, 156, '6')],
    ['a pax header', forge(archive, 156, 'x')],
    ['a sparse file', forge(archive, 156, 'S')],
    ['a size that is not a number', forge(archive, 124, '0000000000z\0')],
    ['a size of twelve bytes 0xff', forge(archive, 124, Buffer.alloc(12, 0xff))],
    ['a size of 2^63', forge(archive, 124, Buffer.concat([Buffer.of(0x80, 0, 0, 0, 0x80), Buffer.alloc(7)]))],
    ['a size beyond the end', forge(archive, 124, '00000100000\0')],
    ['a time beyond 32 bits', forge(archive, 136, '77777777777\0')],
    ['a name that is not UTF-8', forge(archive, 0, Buffer.from([0x2e, 0x2f, 0xff]))],
    ['a long name of gigabytes', forge(forge(archive, 156, 'L'), 124, '30000000000\0')],
    ['bytes after the end', Buffer.concat([archive, Buffer.from('x')])],
    ['a missing end', archive.subarray(0, 1024)],
    ['an empty file', Buffer.alloc(0)],
  ];
  test.each(cases)('%s', async (_, bytes) => {
    await expect(members(bytes)).rejects.toBeInstanceOf(KubeparcelError);
  });
});
