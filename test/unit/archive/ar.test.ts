import { describe, expect, test } from 'vitest';
import { readAr, writeAr } from '../../../src/archive/ar.ts';
import { collect } from '../../../src/archive/chunks.ts';

const all = async (chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>) =>
  Buffer.from(await collect(chunks, 1 << 20, () => new Error('too much'))).toString('latin1');

async function members(text: string, cut = 7): Promise<[string, string][]> {
  const bytes = Buffer.from(text, 'latin1');
  const chunks = Array.from({ length: Math.ceil(bytes.length / cut) }, (_, index) =>
    bytes.subarray(index * cut, (index + 1) * cut),
  );
  const read: [string, string][] = [];
  for await (const { name, content } of readAr(chunks)) {
    read.push([name, await all(content)]);
  }
  return read;
}

const member = (name: string, content: string) => ({ name, size: content.length, content: [Buffer.from(content)] });

const ARCHIVE = `!<arch>
debian-binary   1700000000  0     0     100644  4         \`
2.0
data.tar        1700000000  0     0     100644  3         \`
abc
`;

test('writes archives as in ar(5)', async () => {
  const written = await all(writeAr([member('debian-binary', '2.0\n'), member('data.tar', 'abc')], 1_700_000_000));
  expect(written).toBe(ARCHIVE);
});

test('rejects names and sizes that exceed the format', async () => {
  await expect(all(writeAr([member('a-name-of-seventeen', '')], 0))).rejects.toMatchObject({ kind: 'format' });
  await expect(all(writeAr([{ name: 'a', size: 10 ** 10, content: [] }], 0))).rejects.toMatchObject({ kind: 'format' });
});

test("reads member names with and without GNU ar's slash", async () => {
  expect(await members(ARCHIVE)).toEqual([
    ['debian-binary', '2.0\n'],
    ['data.tar', 'abc'],
  ]);
  expect(await members(ARCHIVE.replace('data.tar ', 'data.tar/'))).toEqual([
    ['debian-binary', '2.0\n'],
    ['data.tar', 'abc'],
  ]);
});

test('skips unread contents', async () => {
  const names: string[] = [];
  for await (const { name } of readAr([Buffer.from(ARCHIVE)])) {
    names.push(name);
  }
  expect(names).toEqual(['debian-binary', 'data.tar']);
});

describe('rejects', () => {
  test.each([
    ['a wrong magic number', ARCHIVE.replace('!<arch>', '!<thin>')],
    ['a size that is not a number', ARCHIVE.replace('3         `', '0x3       `')],
    ['a negative size', ARCHIVE.replace('3         `', '-3        `')],
    ['a size beyond the end', ARCHIVE.replace('3         `', '9999999999`')],
    ['a size one too long', ARCHIVE.replace('3         `', '5         `')],
    ['a wrong header end', ARCHIVE.replace('`', "'")],
    ['an owner that is not a number', ARCHIVE.replace(' 0     0 ', ' 0     x ')],
    ['an empty name', ARCHIVE.replace('data.tar', '        ')],
    ['a missing padding byte', ARCHIVE.slice(0, -1)],
    ['a wrong padding byte', `${ARCHIVE.slice(0, -1)}x`],
    ['a truncated header', `${ARCHIVE}control.tar`],
    ['an empty file', ''],
  ])('%s', async (_, text) => {
    await expect(members(text)).rejects.toMatchObject({ name: 'KubeparcelError', kind: 'format' });
  });
});
