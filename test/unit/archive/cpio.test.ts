import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type CpioMember, readCpio, writeCpio } from '../../../src/archive/cpio.ts';
import { KubeparcelError } from '../../../src/support/errors.ts';

interface Plain {
  readonly name: string;
  readonly mode: number;
  readonly mtime: number;
  readonly content: Uint8Array;
}

function member({ name, mode, mtime, content }: Plain, index: number): CpioMember {
  return { header: { name, mode, mtime, inode: index + 1 }, index, size: content.length, content: [content] };
}

async function bytesOf(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return Buffer.concat(parts);
}

function* cut(bytes: Uint8Array, size: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function readAll(archive: Uint8Array, sizes: readonly number[] = [], chunkSize = 4096) {
  const members: { name: string; content: Buffer }[] = [];
  for await (const read of readCpio(cut(archive, chunkSize), (index) => sizes[index])) {
    const name = read.kind === 'newc' ? read.name : `#${read.index}`;
    members.push({ name, content: await bytesOf(read.content) });
  }
  return members;
}

const plain: fc.Arbitrary<Plain> = fc.record({
  name: fc.stringMatching(/^\.\/[a-z/]{1,40}$/),
  mode: fc.nat(0o177777),
  mtime: fc.nat(0xffffffff),
  content: fc.uint8Array({ maxLength: 200 }),
});

describe('cpio archives', () => {
  test('have the header, name and content of newc, each padded to four bytes', async () => {
    const file = { name: './a', mode: 0o100755, mtime: 0x5f5e100, content: Buffer.from('hello') };
    const archive = await bytesOf(writeCpio([member(file, 6)], { stripped: false }));
    expect(archive.toString('latin1')).toBe(
      '070701' +
        ['00000007', '000081ed', '00000000', '00000000', '00000001', '05f5e100', '00000005'].join('') +
        ['00000000', '00000000', '00000000', '00000000', '00000004', '00000000'].join('') +
        './a\0\0\0hello\0\0\0' +
        `070701${'0'.repeat(32)}00000001${'0'.repeat(48)}0000000b00000000TRAILER!!!\0\0\0\0`,
    );
  });

  test('contain only the file index in stripped headers', async () => {
    const file = { name: './a', mode: 0o100755, mtime: 1, content: Buffer.from('hello') };
    const archive = await bytesOf(writeCpio([member(file, 0x1f)], { stripped: true }));
    expect(archive.subarray(0, 24).toString('latin1')).toBe('07070X0000001f\0\0hello\0\0\0');
  });

  test.each([false, true])('can be read back, whatever the chunk size (stripped: %s)', async (stripped) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(plain, { maxLength: 5 }),
        fc.integer({ min: 1, max: 300 }),
        async (files, chunkSize) => {
          const archive = await bytesOf(writeCpio(files.map(member), { stripped }));
          const sizes = files.map(({ content }) => content.length);
          const expected = files.map(({ name, content }, index) => ({
            name: stripped ? `#${index}` : name,
            content: Buffer.from(content),
          }));
          expect(await readAll(archive, sizes, chunkSize)).toEqual(expected);
        },
      ),
      { numRuns: 50 },
    );
  });

  test('can be read without reading the contents', async () => {
    const files = ['./a', './b'].map((name) => ({ name, mode: 0o100644, mtime: 1, content: Buffer.alloc(5000, 1) }));
    const names: string[] = [];
    const archive = await bytesOf(writeCpio(files.map(member), { stripped: false }));
    for await (const read of readCpio([archive], () => undefined)) {
      names.push(read.kind === 'newc' ? read.name : '');
    }
    expect(names).toEqual(['./a', './b']);
  });

  test('that are truncated anywhere are rejected', async () => {
    const file = { name: './a', mode: 0o100644, mtime: 1, content: Buffer.from('hello') };
    const archive = await bytesOf(writeCpio([member(file, 0)], { stripped: false }));
    for (let length = 0; length < archive.length; length++) {
      await expect(readAll(archive.subarray(0, length)), `at ${length}`).rejects.toThrow(/truncated/);
    }
  });

  const header = (fields: Record<number, string>) =>
    `070701${Array.from({ length: 13 }, (_, i) => fields[i] ?? '00000000').join('')}`;
  test.each([
    ['a wrong magic number', '070707', /magic number "070707"/],
    ['an invalid number', header({ 6: '0000000g', 11: '00000002' }), /invalid number "0000000g"/],
    ['a signed number', header({ 6: '-0000001', 11: '00000002' }), /invalid number/],
    ['an empty name', header({ 11: '00000001' }), /name length 1/],
    ['a name of 4 GiB', header({ 11: 'ffffffff' }), /name length 4294967295/],
    ['a name that ends early', `${header({ 11: '00000004' })}a\0b\0`, /without terminating NUL/],
    ['a content of 4 GiB', `${header({ 6: 'ffffffff', 11: '00000002' })}a\0`, /4294967295 bytes missing/],
    ['an unknown file index', '07070Xffffffff\0\0', /index 4294967295/],
    ['bytes in the padding', `${header({ 11: '00000003' })}ab\0!\0\0`, /padding/],
    ['bytes after the end', `${header({ 11: '0000000b' })}TRAILER!!!\0\0\0\0x`, /trailing bytes/],
  ])('with %s are rejected', async (_, text, message) => {
    const failure = readAll(Buffer.from(text, 'latin1'));
    await expect(failure).rejects.toThrow(message);
    await expect(failure).rejects.toBeInstanceOf(KubeparcelError);
  });

  test.each([
    ['shorter', 'hell'],
    ['longer', 'hello!'],
  ])('reject a content that is %s than its size', async (word, content) => {
    const file = { ...member({ name: './a', mode: 0, mtime: 0, content: Buffer.from(content) }, 0), size: 5 };
    const failure = bytesOf(writeCpio([file], { stripped: false }));
    await expect(failure).rejects.toMatchObject({ kind: 'verification', message: expect.stringContaining(word) });
  });

  test('reject an endless content', async () => {
    function* endless() {
      for (;;) yield Buffer.alloc(1000);
    }
    const file = { header: { name: './a', mode: 0, mtime: 0, inode: 1 }, index: 0, size: 5000, content: endless() };
    await expect(bytesOf(writeCpio([file], { stripped: false }))).rejects.toMatchObject({ kind: 'verification' });
  });
});
