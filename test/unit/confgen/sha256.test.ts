import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sha256 } from '../../../src/confgen/text/sha256.ts';

const reference = (text: string) => createHash('sha256').update(text, 'utf8').digest('hex');

test('gives the same digests as Node for all lengths around a block', () => {
  for (let length = 0; length < 140; length += 1) {
    const text = 'a'.repeat(length);
    expect(sha256(text)).toBe(reference(text));
  }
});

test('gives the same digests as Node for any text, including lone surrogates', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
      expect(sha256(text)).toBe(reference(text));
    }),
  );
  expect(sha256('\ud800x')).toBe(reference('\ud800x'));
});
