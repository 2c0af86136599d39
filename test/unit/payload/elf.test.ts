import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ARCHITECTURES } from '../../../src/model/architecture.ts';
import { readElf } from '../../../src/payload/elf.ts';
import { examineFile } from '../../../src/payload/examine.ts';
import type { RandomAccess } from '../../../src/payload/store/random-access.ts';
import { makeElf } from '../../support/binaries.ts';

function access(bytes: Buffer): RandomAccess & { readonly reads: number[] } {
  const reads: number[] = [];
  return {
    size: bytes.length,
    reads,
    async read(offset, length) {
      reads.push(length);
      return bytes.subarray(offset, offset + length);
    },
  };
}

const NEEDS = { 'libc.so.6': ['GLIBC_2.34', 'GLIBC_2.2.5'], 'libpthread.so.0': [] };

test.each(ARCHITECTURES)('a static and a dynamic binary for %s', async (architecture) => {
  expect(await readElf(access(makeElf(architecture)), 'kubelet')).toEqual({ architecture, libraries: [] });
  expect(await readElf(access(makeElf(architecture, { needs: NEEDS })), 'kubelet')).toEqual({
    architecture,
    libraries: [
      { soname: 'libc.so.6', symbolVersions: ['GLIBC_2.2.5', 'GLIBC_2.34'] },
      { soname: 'libpthread.so.0', symbolVersions: [] },
    ],
  });
});

test('the big-endian PowerPC binary is not a ppc64le one', async () => {
  const bytes = makeElf('ppc64le');
  bytes[5] = 2;
  bytes.writeUInt16BE(2, 16);
  bytes.writeUInt16BE(21, 18);
  await expect(readElf(access(bytes), 'kubelet')).rejects.toMatchObject({
    kind: 'format',
    where: 'kubelet',
    message: expect.stringContaining('machine 21, big-endian'),
  });
});

test.each([
  ['32-bit', 4, 1],
  ['no byte order', 5, 3],
  ['an object file', 16, 1],
  ['another machine', 18, 8],
  ['no program headers', 56, 0],
  ['program headers of the wrong size', 54, 32],
  ['more program headers than the file has', 56, 255],
])('%s is refused', async (_, at, value) => {
  const bytes = makeElf('amd64', { needs: NEEDS });
  bytes[at] = value;
  await expect(readElf(access(bytes), 'kubelet')).rejects.toMatchObject({ kind: 'format' });
});

test('reading an endless symbol version table stops', async () => {
  // At any offset in the tail, the next entry is four bytes further.
  const tail = Buffer.alloc(400_000, Buffer.from([4, 0, 0, 0]));
  let bytes = makeElf('amd64', { needs: { 'libc.so.6': ['A', 'B'] } });
  bytes = makeElf('amd64', {
    needs: { 'libc.so.6': ['A', 'B'] },
    tail: Buffer.concat([Buffer.alloc(4 - (bytes.length % 4)), tail]),
  });
  const verneed = bytes.indexOf(Buffer.from([1, 0, 2, 0]));
  expect(verneed).toBeGreaterThan(0);
  bytes.writeUInt16LE(0xffff, verneed + 2);
  bytes.writeUInt32LE(bytes.length - tail.length - verneed, verneed + 8);
  const file = access(bytes);
  await expect(readElf(file, 'kubelet')).rejects.toMatchObject({ message: expect.stringContaining('more than 4096') });
  expect(file.reads.length).toBeLessThan(10_000);
});

test('any damage gives a result or a format error, after few reads', async () => {
  const whole = makeElf('amd64', { needs: NEEDS, tail: Buffer.alloc(4096) });
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(700), fc.nat(255)), { minLength: 1, maxLength: 12 }),
      fc.option(fc.nat(whole.length)),
      async (changes, end) => {
        const bytes = Buffer.from(whole);
        for (const [at, value] of changes) bytes[at] = value;
        const file = access(end === null ? bytes : bytes.subarray(0, end));
        try {
          expect(ARCHITECTURES).toContain((await readElf(file, 'x')).architecture);
        } catch (error) {
          expect(error).toMatchObject({ name: 'KubeparcelError', kind: 'format' });
        }
        expect(file.reads.length).toBeLessThan(10_000);
        expect(Math.max(...file.reads)).toBeLessThanOrEqual(1 << 16);
      },
    ),
    { numRuns: 400 },
  );
});

const SCRIPT = Buffer.from('#!/bin/sh\n');
const TEXT = Buffer.from('Apache License\n');

test.each([
  ['a binary', makeElf('arm64'), 'program', false, { executable: true }],
  ['a binary without an execute bit in its archive', makeElf('arm64'), 'data', false, { executable: true }],
  ['a binary for another machine', makeElf('amd64'), 'program', false, 'a binary for amd64, expected arm64'],
  ['a script', SCRIPT, 'program', false, 'a script'],
  ['a script without an execute bit', SCRIPT, 'data', false, 'a script'],
  ['a script of the sample', SCRIPT, 'program', true, { executable: true }],
  ['text in place of a program', TEXT, 'program', false, 'no ELF header'],
  ['text', TEXT, 'either', false, { executable: false }],
  ['text without an execute bit', TEXT, 'data', false, { executable: false }],
  ['other bytes', Buffer.from([0xcf, 0xfa, 0xed, 0xfe, 0]), 'either', false, 'no ELF header'],
  ['a web page', Buffer.from('<html>'), 'program', false, 'no ELF header'],
  ['nothing', Buffer.alloc(0), 'program', false, 'no ELF header'],
] as const)('%s (%#)', async (_, bytes, role, scripts, outcome) => {
  const examined = examineFile(access(bytes), { architecture: 'arm64', role, scripts, where: 'x' });
  if (typeof outcome === 'string') {
    await expect(examined).rejects.toMatchObject({ kind: 'format', message: expect.stringContaining(outcome) });
  } else {
    expect(await examined).toEqual({ ...outcome, libraries: [] });
  }
});
