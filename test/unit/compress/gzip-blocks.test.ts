import { crc32, gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { deflateRun, joinCrc32, memberEnd, memberHeader } from '../../../src/compress/splice/gzip-blocks.ts';

describe('joinCrc32', () => {
  test('equals the CRC-32 of the concatenated bytes', () => {
    const bytes = fc.uint8Array({ maxLength: 3000 });
    fc.assert(
      fc.property(bytes, bytes, (first, last) => {
        // zlib.crc32 returns 0 for an empty array, whatever the initial value.
        const of = (part: Uint8Array) => (part.length === 0 ? 0 : crc32(part));
        expect(joinCrc32(of(first), of(last), last.length)).toBe(of(Buffer.concat([first, last])));
      }),
    );
  });

  test('supports more than 4 GiB', () => {
    // One byte and 5 GiB of zeros.
    const step = Buffer.alloc(1 << 20);
    const zeros = Array.from({ length: 5 << 10 }, () => step).reduce((crc, bytes) => crc32(bytes, crc), 0);
    const one = Buffer.of(7);
    expect(joinCrc32(crc32(one), zeros, 5 * 2 ** 30)).toBe(
      Array.from({ length: 5 << 10 }, () => step).reduce((crc, bytes) => crc32(bytes, crc), crc32(one)),
    );
  });
});

test('runs with and without a dictionary join to one gzip member', async () => {
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
