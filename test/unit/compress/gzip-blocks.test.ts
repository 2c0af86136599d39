import { crc32, gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { deflateRun, joinCrc32, memberEnd, memberHeader } from '../../../src/compress/splice/gzip-blocks.ts';

describe('the CRC-32 of joined bytes', () => {
  test('is what zlib finds of them', () => {
    const bytes = fc.uint8Array({ maxLength: 3000 });
    fc.assert(
      fc.property(bytes, bytes, (first, last) => {
        // zlib.crc32 begins anew at an empty array.
        const of = (part: Uint8Array) => (part.length === 0 ? 0 : crc32(part));
        expect(joinCrc32(of(first), of(last), last.length)).toBe(of(Buffer.concat([first, last])));
      }),
    );
  });

  test('of more than 4 GiB', () => {
    // 5 GiB of zeros and one byte, step by step and at once.
    const step = Buffer.alloc(1 << 20);
    const zeros = Array.from({ length: 5 << 10 }, () => step).reduce((crc, bytes) => crc32(bytes, crc), 0);
    const one = Buffer.of(7);
    expect(joinCrc32(crc32(one), zeros, 5 * 2 ** 30)).toBe(
      Array.from({ length: 5 << 10 }, () => step).reduce((crc, bytes) => crc32(bytes, crc), crc32(one)),
    );
  });
});

test('runs that know what comes before them, and runs that do not, make one member', async () => {
  const part = fc.array(fc.constantFrom('kubelet', 'kubeadm', 'kubectl', ' ', String.fromCharCode(10)), {
    maxLength: 20_000,
  });
  await fc.assert(
    fc.asyncProperty(fc.array(part, { maxLength: 4 }), fc.constantFrom(1, 6, 9), async (parts, level) => {
      const pieces = parts.map((words) => Buffer.from(words.join('')));
      const whole = Buffer.concat(pieces);
      const runs = await Promise.all(
        pieces.map((bytes, index) => {
          const before = index % 2 === 0 ? new Uint8Array() : (pieces[index - 1] ?? new Uint8Array());
          return deflateRun(bytes, level, before);
        }),
      );
      const crc = whole.length === 0 ? 0 : crc32(whole);
      const member = Buffer.concat([memberHeader(level), ...runs, memberEnd(crc, whole.length)]);
      expect(gunzipSync(member).equals(whole)).toBe(true);
    }),
    { numRuns: 40 },
  );
});
